"""One SQLite gradebook, many writers on one machine: nobody is turned away and nothing is lost."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from commands import scores

from proctor import course as courses
from proctor import database, grading

HAMMER = Path(__file__).with_name("hammer.py")
WRITERS, EACH = 8, 8
LONGER_THAN_PYTHON_WAITS = 6.5  # seconds; sqlite3's own patience ends after 5


def hammer(course: Path, name: str, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, str(HAMMER), str(course), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_many_writers_lose_nothing(tiny):
    """As many processes as a large machine has cores write one gradebook at once."""
    writers = [hammer(tiny, f"writer{number}", EACH) for number in range(WRITERS)]
    said = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * WRITERS, "\n".join(said)
    expected = {f"writer{w}-{n}": float(n % 4) for w in range(WRITERS) for n in range(EACH)}
    assert scores(tiny) == expected
    with sqlite3.connect(tiny / "gradebook.db") as book:
        assert book.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_writer_waits_for_one_that_takes_long(tiny):
    """A gradebook that is locked for longer than Python's default waits is waited for."""
    with sqlite3.connect(tiny / "gradebook.db", isolation_level=None) as book:
        book.execute("BEGIN EXCLUSIVE")
        writer = hammer(tiny, "ada", 1)
        end = time.monotonic() + LONGER_THAN_PYTHON_WAITS + 4  # and its imports
        while time.monotonic() < end and writer.poll() is None:
            time.sleep(0.1)
        assert writer.poll() is None, writer.communicate()[1]
        book.execute("COMMIT")
    assert writer.communicate()[1].count("locked") == 0
    assert scores(tiny) == {"ada-0": 0.0}


def test_lookups_of_one_submission_do_not_read_the_class(tiny):
    """After `proctor grade` has begun, SQLite finds the rows of a submission by an index."""
    course = courses.load(tiny)
    assert grading.graded_students(course, "tiny") == set()
    with sqlite3.connect(tiny / "gradebook.db") as book:
        for table, column in database.INDEXES.items():
            (plan,) = book.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {column} = 'x'").fetchall()
            assert f"USING INDEX ix_proctor_{table}_{column}" in plan[-1]
