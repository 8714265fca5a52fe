"""The policy itself: what it holds, and what is looked at from outside."""

import os
import sysconfig
from pathlib import Path

import proctor
from proctor.sandbox.limits import Excess, excess_of
from proctor.sandbox.policy import SYSTEM, Policy, environment_of


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


def test_an_excess_names_the_limit(tmp_path: Path) -> None:
    """Size, number of files and threads, each with the number that was allowed."""
    (tmp_path / "a").write_bytes(bytes(3 << 20))
    (tmp_path / "b").touch()
    folder = str(tmp_path)
    assert excess_of(Policy(folder), os.getpid(), hidden=False) is None
    assert excess_of(Policy(folder, disk_total=2 << 20), os.getpid(), hidden=False) == Excess("disk", 2)
    assert excess_of(Policy(folder, files_total=1), os.getpid(), hidden=False) == Excess("files", 1)
    assert excess_of(Policy(folder, disk_total=2 << 20), os.getpid(), hidden=True) is None
    assert excess_of(Policy(folder, processes=0), os.getpid(), hidden=False) == Excess("threads", 0)


def test_too_many_sockets_are_noticed(tmp_path: Path) -> None:
    """The run folder is the one place on the machine's own disk where a student's process makes files."""
    for number in range(65):
        (tmp_path / str(number)).touch()
    assert excess_of(Policy("/scratch", sockets=str(tmp_path)), os.getpid(), hidden=True) == Excess("sockets", 64)


def test_what_is_no_socket_is_noticed(tmp_path: Path) -> None:
    """Nothing but sockets belongs there, in folders neither."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a").write_bytes(bytes(2 << 20))
    assert excess_of(Policy("/scratch", sockets=str(tmp_path)), os.getpid(), hidden=True) == Excess("disk", 1)
