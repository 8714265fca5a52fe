"""One SQLite gradebook, many writers on one machine: nobody is turned away and nothing is lost."""

import contextlib
import sqlite3
import sys
from pathlib import Path

import pytest
from commands import run, scores
from nbgrader.api import Gradebook

from proctor.course import folders as courses
from proctor.grading import class_run as grading
from proctor.records import database

HAMMER = Path(__file__).with_name("hammer.py")
WRITERS, EACH = 8, 8


@pytest.mark.skipif(sys.platform != "linux", reason="its writers are forked")
def test_many_writers_lose_nothing(tiny):
    """As many processes as a large machine has cores write one gradebook at once."""
    done = run(tiny, sys.executable, str(HAMMER), str(tiny), str(WRITERS), str(EACH))
    assert done.returncode == 0, done.stderr
    assert scores(tiny) == {f"writer{w}-{n}": float(n % 4) for w in range(WRITERS) for n in range(EACH)}
    with contextlib.closing(sqlite3.connect(tiny / "gradebook.db")) as book:
        assert book.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_writer_is_patient_with_others(tiny):
    """On nbgrader's own connections, SQLite waits two minutes for a lock; Python's default of 5 s is for small classes."""
    with Gradebook(courses.load(tiny).db_url()) as book:
        milliseconds = book.db.connection().exec_driver_sql("PRAGMA busy_timeout").scalar()
    assert milliseconds == database.BUSY_SECONDS * 1000 == 120_000


def test_lookups_of_one_submission_do_not_read_the_class(tiny):
    """After `proctor grade` has begun, SQLite finds the rows of a submission by an index."""
    course = courses.load(tiny)
    assert grading.graded_students(course, "tiny") == set()
    with contextlib.closing(sqlite3.connect(tiny / "gradebook.db")) as book:
        for table, column in database.INDEXES.items():
            (plan,) = book.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {column} = 'x'").fetchall()
            assert f"USING INDEX ix_proctor_{table}_{column}" in plan[-1]
