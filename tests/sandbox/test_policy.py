"""The policy itself: what it holds, how it travels, and what is looked at from outside."""

import os
import sysconfig
from pathlib import Path

import proctor
from proctor.sandbox.enforce import SYSTEM, Policy, environment_of, too_much


def test_survives_its_journey() -> None:
    """The process that forks gets what the grader wrote."""
    policy = Policy("/scratch", memory=7, readable=("/a", "/b"), environment={"TF_NUM_INTRAOP_THREADS": "1"})
    assert Policy.from_json(policy.to_json()) == policy


def test_reads_packages_and_not_the_course() -> None:
    """The interpreter's packages are readable; the engine's source, the course's folder and home are not."""
    readable = [Path(path) for path in Policy("/scratch").readable]
    assert Path(sysconfig.get_path("purelib")).resolve() in readable
    source = Path(proctor.__file__).resolve()
    for private in (source.parents[2], Path.home(), Path("/etc/passwd"), Path("/tmp"), Path("/")):
        assert not any(private.is_relative_to(path) for path in readable), private


def test_gives_no_shared_memory_device() -> None:
    """Mapping /dev/zero or /dev/shm would be a way around the memory limit."""
    assert not {"/dev", "/dev/zero", "/dev/shm"} & set(SYSTEM)


def test_environment_can_be_added_to() -> None:
    """A course may set variables; the rest stays."""
    environment = environment_of(Policy("/scratch", environment={"TF_NUM_INTRAOP_THREADS": "1"}))
    assert environment["TF_NUM_INTRAOP_THREADS"] == "1"
    assert environment["HOME"] == "/scratch"


def test_too_much_names_the_limit(tmp_path: Path) -> None:
    """Size, number of files and threads, each in the student's words."""
    (tmp_path / "a").write_bytes(bytes(3 << 20))
    (tmp_path / "b").touch()
    folder = str(tmp_path)
    assert too_much(Policy(folder), os.getpid(), hidden=False) is None
    assert "2 MB" in str(too_much(Policy(folder, disk_total=2 << 20), os.getpid(), hidden=False))
    assert "1 files" in str(too_much(Policy(folder, files_total=1), os.getpid(), hidden=False))
    assert too_much(Policy(folder, disk_total=2 << 20), os.getpid(), hidden=True) is None
    assert "0 threads" in str(too_much(Policy(folder, processes=0), os.getpid(), hidden=False))


def test_too_many_sockets_are_noticed(tmp_path: Path) -> None:
    """The run folder is the one place on the machine's own disk where a student's process makes files."""
    for number in range(65):
        (tmp_path / str(number)).touch()
    assert "64 sockets" in str(too_much(Policy("/scratch", sockets=str(tmp_path)), os.getpid(), hidden=True))
