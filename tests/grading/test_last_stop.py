"""Whatever takes a submission's time has an end."""

import signal
import threading
import time

import pytest
import tiny_course

from proctor.errors import TookTooLong
from proctor.grading import student
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


def test_in_another_thread_there_are_no_signals():
    """A cluster's worker runs jobs in threads: the block runs without the stop."""
    done = []

    def work():
        with within(0.01):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


def test_a_submission_that_hangs_in_the_grader_is_named(released_tiny_course, tmp_path, monkeypatch):
    """A preprocessor that never ends, say: its student is not graded, and the message says so."""
    course = tiny_course.copy(released_tiny_course, tmp_path / "course")
    tiny_course.submit(course, "ada")
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + "\nc.ProctoredExecute.notebook_timeout = 0.1\n")
    monkeypatch.setattr(student, "_run_nbgrader", lambda *_: never_ends())
    config.write_text(config.read_text() + "c.ProctoredExecute.database_timeout = 0.1\n")
    student._course.cache_clear()
    with pytest.raises(TookTooLong, match="stopped after"):
        student.grade_student(str(course), tiny_course.ASSIGNMENT, "ada", {})
