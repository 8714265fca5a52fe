"""A class on a Dask cluster of real processes: the same results as on one machine, whatever happens to a worker."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import servers
import tiny_course
from commands import grading, run, scores
from waiting import until

from proctor.course import folders as courses
from proctor.errors import ClusterError
from proctor.executors import cluster, cluster_worker, same_course
from proctor.grading import class_run as classes

KINDS = 6  # of submissions in conftest.py
CLASS_SIZE = 60

pytestmark = pytest.mark.timeout(300)


def outcomes(course: Path) -> dict[str, dict[str, object]]:
    """All that was found of each student: points, messages, flags."""
    found = {}
    for path in (course / ".proctor/graded/tiny").glob("*.json"):
        outcome = json.loads(path.read_text())["result"]
        found[outcome["student"]] = {"cells": outcome["cells"], "flags": outcome["flags"]}
    return found


def graders(worker: int) -> list[int]:
    """A worker's grading process and what comes from it; Python's own resource tracker stays as long as the worker."""
    return [pid for pid in servers.children(worker) if "resource_tracker" not in servers.command_of(pid)]


def test_three_workers_give_what_one_machine_gives(dask, class_of, tmp_path):
    """Points, messages and errors are those of one machine, although a worker is lost on the way.

    One submission ends the process that grades it, each time: it is named, as on one machine.
    """
    course, expected = class_of(CLASS_SIZE)
    tests = course / "grader_tests/tiny/test_double.py"
    head = 'for any number."""\n'
    deadly = "    if submission.double(1) == 'die':\n        import os; os.kill(os.getpid(), 9)\n"
    tests.write_text(tests.read_text().replace(head, head + deadly))
    tiny_course.submit(course, "03-deadly", "def double(x): return 'die'")
    tiny_course.hold_after(course, 4)
    with servers.cluster(tmp_path / "dask") as found:
        workers = found.add_workers(3)
        with grading(course, "--scheduler", found.address) as there:
            there.wait_for(4)
            assert until(lambda: all(map(graders, workers)))
            orphans = graders(workers[0])
            os.kill(workers[0], signal.SIGKILL)
            assert until(lambda: not any(map(psutil.pid_exists, orphans))), "a lost worker left something running"
            tiny_course.let_go(course)
            assert there.process.wait(240) == 1, there.said
    assert "3 workers on" in there.said
    assert f"{CLASS_SIZE} graded, 0 unchanged, 1 not graded" in there.said
    on_cluster = outcomes(course)
    some = [*sorted(expected)[:KINDS], "03-deadly"]
    here = run(course, "proctor", "grade", "--force", *(word for name in some for word in ("--student", name)))
    assert here.returncode == 1, here.stderr
    one_machine = outcomes(course)
    for student in expected:
        (same,) = (other for other in some if other[3:] == student[3:])
        assert on_cluster[student] == one_machine[same]
    error = "submitted/03-deadly/tiny: the worker process died twice while grading it"
    assert [error in said for said in (there.said, here.stderr)] == [True, True]
    assert scores(course, list(expected)) == expected
    assert classes.plan(courses.load(course), "tiny").todo == ["03-deadly"]


def test_a_run_that_was_stopped_in_any_way_is_gone_on_with(dask, class_of, tmp_path):
    """After Ctrl-C, a SIGKILL and the loss of the scheduler, nothing goes on, and what was graded stays graded."""
    course, expected = class_of(9)
    tiny_course.hold_after(course, 2)
    with servers.cluster(tmp_path / "dask", 2) as found:
        workers = [worker.pid for worker in found.workers]
        with grading(course, "--scheduler", found.address) as first:
            first.wait_for(2)
            first.process.send_signal(signal.SIGINT)
            assert first.process.wait(30) == 130
        assert "run the same command again" in first.said
        assert until(lambda: not any(map(graders, workers))), "a grading process goes on"
        interrupted = outcomes(course)
        tiny_course.hold_after(course, len(interrupted) + 1)
        with grading(course, "--scheduler", found.address) as second:
            second.wait_for(1)
        stale = [pid for worker in workers for pid in graders(worker)]
        with grading(course, "--scheduler", found.address) as third:
            assert until(lambda: "2 workers on" in third.said or third.process.poll() is not None, 60), third.said
            assert not any(map(psutil.pid_exists, stale)), "the killed run goes on"
            killed = outcomes(course)
            tiny_course.hold_after(course, len(killed) + 1)
            third.wait_for(1)
            found.scheduler.kill()
            assert third.process.wait(60) == 2
        assert "proctor: the connection to the scheduler was lost" in third.said
        assert until(lambda: not any(map(graders, workers))), "a grading process goes on without a scheduler"
    lost = outcomes(course)
    assert interrupted.keys() < killed.keys() < lost.keys()
    tiny_course.let_go(course)
    done = run(course, "proctor", "grade")
    assert f"{9 - len(lost)} graded, {len(lost)} unchanged, 0 not graded" in done.stdout, done.stderr
    assert "Traceback" not in first.said + second.said + third.said
    assert scores(course) == expected


UNFIT = {
    "package": "proctor 9.9.9, here",
    "tensorflow": "tensorflow 1.15.0, here",
    "python": "Python 2.7, here",
    "threads": "--nthreads 1",
    "no-proctor": "proctor cannot be used there",
    "elsewhere": "not in a course",
    "gradebook": "the gradebook's database cannot be used: ",
}


def test_unfit_workers_are_refused_by_name_before_anything_is_graded(dask, class_of, tmp_path):
    """Each worker that would grade otherwise than this machine, or not this course, is named with what is wrong."""
    course, _ = class_of(1)
    hide = ["unshare", "--mount", "--map-root-user", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(course)]
    can_hide = subprocess.run([*hide, "true"], capture_output=True, check=False).returncode == 0
    expected = {reason: why for reason, why in UNFIT.items() if can_hide or reason != "elsewhere"}
    with servers.cluster(tmp_path / "dask") as found:
        for reason in expected:
            options = ["--nthreads", "2"] if reason == "threads" else []
            found.add_worker(*options, prefix=hide if reason == "elsewhere" else [], **disguise(tmp_path, reason))
        found.wait_for_workers(len(expected))
        done = run(course, "proctor", "grade", "--scheduler", found.address)
        assert servers.SECRET not in done.stderr + found.logs
    assert done.returncode == 2
    refused = [line for line in done.stderr.splitlines() if line.startswith("  tcp://")]
    assert len(refused) == len(expected), done.stderr
    for why in expected.values():
        assert sum(why in line for line in refused) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert not outcomes(course)


def disguise(folder: Path, reason: str) -> dict[str, str]:
    """Environment of a worker that is not like this machine."""
    if reason == "gradebook":
        return {"PROCTOR_DB_URL": f"postgresql+psycopg://grader:{servers.SECRET}@127.0.0.1:9/gradebook"}
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


class Workers:
    """Stands in for a Dask client whose workers' machines lack what they say."""

    def __init__(self, lacks: dict[str, list[str]]) -> None:
        self._lacks = lacks

    def run(self, function: object, workers: list[str]) -> dict[str, list[str]]:
        assert function is cluster_worker.unprotected
        return {worker: self._lacks[worker] for worker in workers}


def test_each_machine_says_what_it_can_enforce_or_is_refused():
    """A protection that one machine lacks refuses its workers; who accepts that is told in the report of the run."""
    hosts = {"tcp://10.0.0.1:1": "ada", "tcp://10.0.0.1:2": "ada", "tcp://10.0.0.2:1": "bo"}
    client = Workers(
        {worker: ["talk to the network (no namespaces)"] * (host == "bo") for worker, host in hosts.items()}
    )
    with pytest.raises(ClusterError) as refused:
        cluster._protected(client, hosts, allow_missing=False)
    assert "tcp://10.0.0.2:1: bo cannot enforce: talk to the network (no namespaces)" in str(refused.value)
    assert "ada" not in str(refused.value)
    assert cluster._protected(client, hosts, allow_missing=True) == (
        "2 workers on ada: the whole sandbox",
        "1 worker on bo: NOT SANDBOXED, missing: talk to the network (no namespaces)",
    )


def test_another_folder_at_the_same_path_is_no_course(class_of, tmp_path):
    """A folder, its files or its gradebook that are not this machine's are told from the course."""
    course, _ = class_of(1)
    loaded = courses.load(course)
    same_course.mark_of(loaded).parent.mkdir()
    same_course.mark_of(loaded).write_text("this run")
    wanted = same_course.shared(loaded, "tiny")
    assert same_course.differences(wanted, wanted) == []
    other = tiny_course.copy(course, tmp_path / "other")
    same_course.mark_of(courses.load(other)).write_text("another run")
    (other / "source/tiny/tiny.ipynb").write_text("{}")
    (other / "gradebook.db").unlink()
    run(other, "nbgrader", "db", "assignment", "add", "tiny")
    there = same_course.shared(courses.load(other), "tiny")
    assert list(there.values()) != list(wanted.values())
    seen = dict(zip(wanted, there.values(), strict=True))
    said = same_course.differences(wanted, seen)
    assert [any(about in line for line in said) for about in ("the folder", "the course's files", "the gradebook")] == [
        True
    ] * 3


ASK = """
import sys
from proctor.cli import main as cli
from proctor.executors import cluster
cluster.SECONDS_TO_CONNECT = 1
for address in sys.argv[1:]:
    print(cli.main(["grade", "--scheduler", address]), flush=True)
"""


def test_an_address_without_a_scheduler_or_without_workers_is_named(dask, class_of, tmp_path):
    """One line that says what to start, no traceback."""
    course, _ = class_of(1)
    nowhere = ["tcp://127.0.0.1:9", "carrier-pigeon://loft", ":"]
    with servers.cluster(tmp_path / "dask") as idle:
        done = run(course, sys.executable, "-c", ASK, *nowhere, idle.address)
    assert done.stdout.split() == ["2"] * 4
    lines = done.stderr.splitlines()
    assert len(lines) == 4, done.stderr
    for line, address in zip(lines, nowhere, strict=False):
        assert line.startswith(f"proctor: {address}: no Dask scheduler answers")
    assert "the scheduler has no workers; start some" in lines[-1]
