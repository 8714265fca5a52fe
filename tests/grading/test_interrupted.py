"""Grading that is stopped, killed, starved or doubled: nothing is lost, nothing is left, and the next run goes on."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import graded_class
import pytest
import tiny_course
from commands import grading, run, scores
from waiting import until

from proctor.course import folders as courses
from proctor.grading import class_run
from proctor.records import memory

KILLS = int(os.environ.get("PROCTOR_KILLS", "4"))
CLASS_SIZE = 30 if KILLS > 4 else 8


@pytest.fixture
def big(tiny):
    """A tiny course with a class: every third answer is wrong."""
    for number in range(CLASS_SIZE):
        tiny_course.submit(tiny, f"s{number:02}", tiny_course.RIGHT if number % 3 else "def double(x): return x")
    return tiny


EXPECTED = {f"s{number:02}": 3.0 if number % 3 else 0.0 for number in range(CLASS_SIZE)}


@pytest.fixture
def mark(monkeypatch):
    """A mark in the environment of all that the test starts, by which a run's processes can be found again."""
    found = f"/nowhere/{uuid.uuid4().hex}"
    monkeypatch.setenv("PYTHONPATH", found)
    return found


@pytest.fixture
def temporary(monkeypatch):
    """The folder for temporary files of all that the test starts: short, because sockets are made in it."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        Path(folder).chmod(0o711)
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def left_in(temporary: Path) -> list[str]:
    """Names of the files of ours that are there."""
    return [path.name for path in temporary.iterdir() if path.name.startswith("proctor-")]


def marked(mark: str) -> list[int]:
    """Processes with the mark that are there now."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if mark.encode() in Path(f"/proc/{name}/environ").read_bytes():
                found.append(int(name))
        except OSError:
            continue
    return found


def intact(course: Path) -> bool:
    """Whether SQLite finds nothing wrong with the gradebook."""
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as db:
        return db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_killed_at_any_moment_the_next_run_finishes(big, mark, temporary):
    """SIGKILL, whenever it comes, leaves no process, no file, and loses no score; what was done is not done again."""
    moments = random.Random(1)
    known = 0
    for _ in range(KILLS):
        with grading(big, "--jobs", "2") as killed:
            target = moments.randint(0, 3)
            assert until(
                lambda killed=killed, target=target: killed.graded >= target or killed.process.poll() is not None, 60
            )
            time.sleep(moments.random() * 0.3)
        assert until(lambda: not marked(mark))
        assert left_in(temporary) == []
        assert intact(big)
        remembered = len(list((big / ".proctor/graded/tiny").glob("*.json")))
        assert remembered >= known
        known = remembered
    done = run(big, "proctor", "grade")
    assert done.returncode == 0, done.stderr
    assert f"{CLASS_SIZE - known} graded, {known} unchanged" in done.stdout
    assert scores(big) == EXPECTED
    assert intact(big)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_ctrl_c_stops_cleanly(big, mark, temporary):
    """Ctrl-C ends the run in seconds, says how to go on, and leaves no process and no file."""
    tiny_course.hold_after(big, 1)
    with grading(big, "--jobs", "2") as first:
        first.wait_for(1)
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(30) == 130
    assert until(lambda: not marked(mark))
    assert left_in(temporary) == []
    assert "run the same command again" in first.said
    assert "Traceback" not in first.said
    tiny_course.let_go(big)
    assert run(big, "proctor", "grade").returncode == 0
    assert scores(big) == EXPECTED


def test_a_forced_run_that_was_stopped_goes_on(tiny):
    """The same command grades who is left; once it has come to its end, it begins anew."""
    students = ("ada", "bo", "cy")
    graded_class.grade(tiny, *(graded_class.Graded(student) for student in students))
    course = courses.load(tiny)
    assert class_run.plan(course, "tiny").todo == []
    before = memory.recall(course, "tiny", "bo")
    assert class_run.plan(course, "tiny", force=True).todo == list(students)
    memory.remember(course, "tiny", before, memory.fingerprint(course, "tiny", "bo"))  # then it was stopped
    assert class_run.plan(course, "tiny", force=True).todo == ["ada", "cy"]
    assert class_run.plan(course, "tiny").todo == ["ada", "cy"]
    assert class_run.plan(course, "tiny", ["bo"], force=True).todo == ["bo"]
    memory.all_done(course, "tiny")
    assert class_run.plan(course, "tiny", force=True).todo == list(students)


def test_two_at_once_do_not_disturb_each_other(big):
    """The second run says who holds the course, and changes nothing."""
    tiny_course.hold_after(big, 1)
    with grading(big, "--jobs", "2") as first:
        first.wait_for(1)
        second = run(big, "proctor", "grade")
        tiny_course.let_go(big)
        assert second.returncode == 2
        assert f"process {first.process.pid} is grading this course" in second.stderr
        assert first.process.wait(120) == 0, first.said
    assert scores(big) == EXPECTED


def test_a_worker_that_dies_costs_its_submission_only(tiny):
    """A grader's process that dies twice on one submission is named; everybody else is graded."""
    tests = tiny / "grader_tests/tiny/test_double.py"
    deadly = "    if submission.double(1) == 'die':\n        import os; os.kill(os.getpid(), 9)\n"
    head = 'for any number."""\n'
    tests.write_text(tests.read_text().replace(head, head + deadly))
    tiny_course.submit(tiny, "deadly", "def double(x): return 'die'")
    for student in ("ada", "bo", "cy"):
        tiny_course.submit(tiny, student)
    done = run(tiny, "proctor", "grade", "--jobs", "2")
    assert done.returncode == 1
    assert "submitted/deadly/tiny: the worker process died twice" in done.stderr
    assert scores(tiny, ["ada", "bo", "cy"]) == {"ada": 3, "bo": 3, "cy": 3}


def test_a_preload_that_cannot_be_imported_is_named(tiny):
    """The setting is wrong, so nobody is graded, and the line says which module and why."""
    config = tiny / "nbgrader_config.py"
    config.write_text(config.read_text() + 'c.ProctoredExecute.preload = ["numpy", "no_such_module"]\n')
    tiny_course.submit(tiny, "ada")
    done = run(tiny, "proctor", "grade")
    assert done.returncode == 2
    assert "no_such_module" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gradebook_of_another_version_is_told(tiny):
    """A gradebook with another schema is named and left as it is."""
    tiny_course.submit(tiny, "ada")
    with contextlib.closing(sqlite3.connect(tiny / "gradebook.db")) as db:
        db.execute("ALTER TABLE assignment RENAME COLUMN duedate TO due")
    done = run(tiny, "proctor", "grade")
    assert done.returncode == 2
    assert "nbgrader db upgrade" in done.stderr
    assert "Traceback" not in done.stderr


def mounted(course: Path, mount: str, command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell command in the course with a mount that nobody else sees."""
    return run(course, "unshare", "--mount", "sh", "-c", f"{mount} && cd {course} && {command}")


can_mount = pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0,
    reason="needs the right to mount",
)


@can_mount
def test_a_read_only_course_is_told(tiny):
    """The line says which folder cannot be written to."""
    tiny_course.submit(tiny, "ada")
    done = mounted(tiny, f"mount --bind {tiny} {tiny} && mount -o remount,ro,bind {tiny}", "proctor grade")
    assert done.returncode == 2
    assert f"{tiny}: cannot be written to" in done.stderr
    assert "Traceback" not in done.stderr


@can_mount
def test_a_full_disk_costs_no_score(tiny):
    """Who could not be graded is named; the gradebook stays whole, and with room again the next run finishes."""
    for student in ("ada", "bo"):
        tiny_course.submit(tiny, student)
    small = f"mount -t tmpfs -o size=900k none /mnt && cp -a {tiny}/. /mnt/ && cd /mnt && (dd if=/dev/zero of=filler bs=4k; true)"
    script = "cd /mnt && (proctor grade; echo status $?; rm filler; mount -o remount,size=50m /mnt; proctor grade; echo status $?; cp gradebook.db $OUT)"
    done = run(tiny, "unshare", "--mount", "sh", "-c", f"{small} && OUT={tiny}/after.db && {script}")
    first, second = (line for line in done.stdout.splitlines() if line.startswith("status"))
    assert first in ("status 1", "status 2"), done.stderr
    assert second == "status 0", done.stderr
    assert "Traceback" not in done.stderr
    shutil.move(tiny / "after.db", tiny / "gradebook.db")
    assert intact(tiny)
    assert scores(tiny) == {"ada": 3, "bo": 3}
