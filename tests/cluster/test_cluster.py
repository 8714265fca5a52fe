"""A class on a Dask cluster of real processes: the same results as on one machine, whatever happens to a worker."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
import servers
import tiny_course
from commands import run, scores
from waiting import until

KINDS = 6  # of submissions in conftest.py

pytestmark = pytest.mark.timeout(300)


def grade(course: Path, address: str, *options: str) -> "subprocess.CompletedProcess[str]":
    return run(course, "proctor", "grade", "--scheduler", address, *options)


def begin(course: Path, address: str, **environment: str) -> "subprocess.Popen[bytes]":
    """Start grading; what it says goes into the course's folder."""
    with (course / "said.txt").open("wb") as said:
        command = ["proctor", "grade", "--scheduler", address]
        return subprocess.Popen(command, cwd=course, stdout=said, stderr=said, env={**os.environ, **environment})


def said(course: Path) -> str:
    return (course / "said.txt").read_text()


def graded(course: Path) -> int:
    return said(course).count(": graded")


def wait_for(grading: "subprocess.Popen[bytes]", course: Path, number: int) -> None:
    """Return when `number` submissions have been graded and there are more to come."""
    until(lambda: graded(course) >= number or grading.poll() is not None, 120)
    assert graded(course) >= number, said(course)
    assert grading.poll() is None


def outcomes(course: Path) -> dict[str, dict[str, object]]:
    """All that was found of each student: points, messages, flags."""
    found = {}
    for path in (course / ".proctor/graded/tiny").glob("*.json"):
        outcome = json.loads(path.read_text())["outcome"]
        found[outcome["student"]] = {"cells": outcome["cells"], "flags": outcome["flags"]}
    return found


def graders(worker: "subprocess.Popen[bytes]") -> list[int]:
    """A worker's grading process and what comes from it; Python's own resource tracker stays as long as the worker."""
    return [pid for pid in servers.children(worker.pid) if "resource_tracker" not in servers.command_of(pid)]


@pytest.mark.skipif("PROCTOR_SLOW" not in os.environ, reason="minutes on two cores: set PROCTOR_SLOW=1")
def test_sixty_submissions_and_two_losses_give_what_one_machine_gives(cluster, class_of):
    """Points and messages are those of one machine, although a worker and a grading process are killed on the way."""
    course, expected = class_of(60)
    grading = begin(course, cluster.address)
    wait_for(grading, course, 15)
    lost = cluster.workers.pop()
    orphans = graders(lost)
    lost.kill()
    lost.wait()
    wait_for(grading, course, 25)
    os.kill(graders(cluster.workers[0])[0], signal.SIGKILL)
    assert grading.wait(120) == 0, said(course)
    assert "3 workers on" in said(course)
    assert "60 graded, 0 unchanged, 0 not graded" in said(course)
    assert until(lambda: not any(map(psutil.pid_exists, orphans))), "a lost worker left something running"
    assert scores(course) == expected
    assert "0 graded, 60 unchanged" in grade(course, cluster.address).stdout
    on_cluster = outcomes(course)
    some = sorted(expected)[:KINDS]
    again = run(course, "proctor", "grade", "--force", *(word for name in some for word in ("--student", name)))
    assert again.returncode == 0, again.stderr
    one_machine = outcomes(course)
    for student in expected:
        (same,) = (other for other in some if other[3:] == student[3:])
        assert on_cluster[student] == one_machine[same]


def test_interrupted_and_killed_runs_are_gone_on_with(cluster, class_of):
    """After Ctrl-C nothing goes on running; after a SIGKILL the next run sees to it; what was graded stays graded."""
    course, expected = class_of(12)
    tiny_course.submit(course, "11-syntax", "while True: pass")
    grading = begin(course, cluster.address)
    wait_for(grading, course, 2)
    grading.send_signal(signal.SIGINT)
    assert grading.wait(30) == 130
    assert "run the same command again" in said(course)
    assert until(lambda: not any(map(graders, cluster.workers))), "a grading process goes on"
    interrupted = set(outcomes(course))
    grading = begin(course, cluster.address)
    wait_for(grading, course, 2)
    grading.kill()
    grading.wait()
    killed = set(outcomes(course))
    assert interrupted < killed
    tiny_course.submit(course, "11-syntax", "def double(x) return 2 * x")
    done = grade(course, cluster.address)
    (count,) = re.findall(r"(\d+) graded, \d+ unchanged, 0 not graded", done.stdout)
    assert int(count) <= 12 - len(killed)
    assert scores(course) == expected
    assert not any(map(graders, cluster.workers))


def test_a_lost_scheduler_ends_the_run_with_a_word(dask, class_of, tmp_path):
    """What was graded stays, and one machine can finish the class."""
    course, expected = class_of(12)
    with servers.cluster(tmp_path / "own", 1) as own:
        grading = begin(course, own.address)
        wait_for(grading, course, 2)
        own.scheduler.kill()
        assert grading.wait(60) == 2
    assert "proctor: the connection to the scheduler was lost" in said(course)
    assert run(course, "proctor", "grade").returncode == 0
    assert scores(course) == expected


UNFIT = {
    "package": "proctor 9.9.9, here",
    "tensorflow": "tensorflow 1.15.0, here",
    "python": "Python 2.7, here",
    "threads": "--nthreads 1",
    "no-proctor": "proctor cannot be used there",
    "elsewhere": "not in a course",
}


def test_unfit_workers_are_refused_by_name_before_anything_is_graded(dask, class_of, tmp_path):
    """Each worker that would grade otherwise than this machine, or not this course, is named with what is wrong."""
    course, _ = class_of(1)
    hide = ["unshare", "--mount", "--map-root-user", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(course)]
    can_hide = subprocess.run([*hide, "true"], capture_output=True, check=False).returncode == 0
    expected = {reason: why for reason, why in UNFIT.items() if can_hide or reason != "elsewhere"}
    with servers.cluster(tmp_path / "dask", 0) as found:
        idle = grade(course, found.address)
        assert (idle.returncode, "the scheduler has no workers" in idle.stderr) == (2, True), idle.stderr
        for reason in expected:
            options = ["--nthreads", "2"] if reason == "threads" else []
            found.add_worker(*options, prefix=hide if reason == "elsewhere" else [], **disguise(tmp_path, reason))
        found.wait_for_workers()
        done = grade(course, found.address)
    assert done.returncode == 2
    refused = [line for line in done.stderr.splitlines() if line.startswith("  tcp://")]
    assert len(refused) == len(expected), done.stderr
    for why in expected.values():
        assert sum(why in line for line in refused) == 1, done.stderr
    assert not outcomes(course)


def disguise(folder: Path, reason: str) -> dict[str, str]:
    """Environment of a worker that is not like this machine."""
    place = folder / reason
    versions = {"package": "proctor-9.9.9", "tensorflow": "tensorflow-1.15.0"}
    if reason in versions:
        name, _, version = versions[reason].partition("-")
        about = place / f"{versions[reason]}.dist-info" / "METADATA"
        about.parent.mkdir(parents=True)
        about.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    place.mkdir(exist_ok=True)
    starts = {
        "python": "import distributed.versions as v; v.get_system_info = lambda f=v.get_system_info: f() | {'python': '2.7.0.final.0'}",
        "no-proctor": "import sys; sys.modules['proctor'] = None",
    }
    if reason in starts:
        (place / "usercustomize.py").write_text(starts[reason])
        (place / "sitecustomize.py").write_text(starts[reason])
    return {"PYTHONPATH": os.pathsep.join([str(place), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])}


def test_another_folder_at_the_same_path_is_no_course(class_of, tmp_path):
    """A folder, its files or its gradebook that are not this machine's are told from the course."""
    from proctor import cluster_worker
    from proctor import course as courses

    course, _ = class_of(1)
    loaded = courses.load(course)
    cluster_worker.mark_of(loaded).parent.mkdir()
    cluster_worker.mark_of(loaded).write_text("this run")
    wanted = cluster_worker.shared(loaded, "tiny")
    assert cluster_worker.differences(wanted, wanted) == []
    other = tiny_course.copy(course, tmp_path / "other")
    cluster_worker.mark_of(courses.load(other)).write_text("another run")
    (other / "source/tiny/tiny.ipynb").write_text("{}")
    (other / "gradebook.db").unlink()
    run(other, "nbgrader", "db", "assignment", "add", "tiny")
    there = cluster_worker.shared(courses.load(other), "tiny")
    assert list(there.values()) != list(wanted.values())
    seen = dict(zip(wanted, there.values(), strict=True))
    said = cluster_worker.differences(wanted, seen)
    assert [any(about in line for line in said) for about in ("the folder", "the course's files", "the gradebook")] == [
        True
    ] * 3


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "carrier-pigeon://loft", ":"])
def test_an_address_without_a_scheduler_is_named(dask, class_of, address):
    """One line that says what to start, no traceback."""
    course, _ = class_of(1)
    done = grade(course, address)
    assert done.returncode == 2
    assert f"proctor: {address}: no Dask scheduler answers" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
