"""Whatever takes a submission's time has an end."""

import contextlib
import signal
import subprocess
import sys
import time

import pytest
import tiny_course

from proctor.course import folders as courses
from proctor.errors import TookTooLong
from proctor.executors import cluster_worker
from proctor.grading import last_stop, student
from proctor.grading.last_stop import within


def never_ends():
    """Computes without end."""
    while True:
        sum(range(1000))


def test_it_stops_what_never_ends():
    """With a word on what to do."""
    with pytest.raises(TookTooLong, match="by hand"), within(0.05):
        never_ends()


def test_it_leaves_an_outer_timer_running():
    """A test runner's, for example."""
    before = signal.getitimer(signal.ITIMER_REAL)
    with within(1000):
        time.sleep(0)
    after = signal.getitimer(signal.ITIMER_REAL)
    assert (before[0] > 0) == (after[0] > 0)


def test_it_is_said_again_to_whoever_does_not_listen(monkeypatch):
    """A library that catches everything goes on: the next word comes soon after."""
    monkeypatch.setattr(last_stop, "AGAIN", 0.02)
    heard = 0
    with within(0.02):
        while heard < 3:
            with contextlib.suppress(TookTooLong):
                never_ends()
            heard += 1
    assert heard == 3


DEAF = """
import sys, threading, time
from proctor.grading.last_stop import within

def work():
    with within(0.1, 0.1):
        {}
        print("went on")

thread = threading.Thread(target=work)
{}
"""


@pytest.mark.parametrize(
    ("block", "who"),
    [
        ("sum(range(10 ** 12))", "work()"),
        ("sum(range(10 ** 12))", "thread.start()"),
        ("time.sleep(60)", "thread.start()"),
    ],
)
def test_a_process_that_cannot_be_told_is_ended(block, who):
    """In C code that looks at no signals, and in a thread that gets none: the executor then has a broken worker."""
    done = subprocess.run([sys.executable, "-c", DEAF.format(block, who)], capture_output=True, timeout=50, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")


def test_a_clusters_jobs_are_told(tmp_path):
    """A Dask worker's thread only waits for its grading process, which has jobs in its main thread."""
    pool = cluster_worker._make_pool()
    try:
        asked = "__import__('threading').current_thread() is __import__('threading').main_thread()"
        assert pool.submit(eval, asked).result() is True
    finally:
        pool.shutdown()


def test_a_submission_that_hangs_in_the_grader_is_named(released_tiny_course, tmp_path, monkeypatch):
    """A preprocessor that never ends, say: its student is not graded, and the message says so."""
    course = tiny_course.copy(released_tiny_course, tmp_path / "course")
    tiny_course.submit(course, "ada")
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.ProctoredExecute.notebook_timeout = 0.1\n")
    monkeypatch.setattr(student, "_run_nbgrader", lambda *_: never_ends())
    config.write_text(config.read_text() + "c.ProctoredExecute.database_timeout = 0.1\n")
    courses.load_once.cache_clear()
    with pytest.raises(TookTooLong, match="stopped after"):
        student.grade_student(str(course), tiny_course.ASSIGNMENT, "ada", {})
