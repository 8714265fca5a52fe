"""The system call filter, on both machines it is written for: its program is run by a small interpreter here."""

import struct
from pathlib import Path

import pytest

from proctor.sandbox import seccomp

PID = 4242
OLDEST = 4000
BLOCKS = (
    *seccomp.ALWAYS.values(),
    seccomp.ATTRIBUTES,
    seccomp.BY_ARGUMENTS,
    seccomp.PRETENDED,
    seccomp.HIDDEN,
)
MACHINES = ("x86_64", "aarch64")


def answer(machine: str, call: "str | int", *arguments: int, attributes: bool = False, arch: int | None = None) -> int:
    """What the filter says to one call."""
    number = call if isinstance(call, int) else _number(machine, call)
    arguments += (0,) * (6 - len(arguments))
    architecture = seccomp.AUDIT_ARCH[machine] if arch is None else arch
    data = struct.pack("<iIQ6Q", number, architecture, 0, *(a & 0xFFFFFFFFFFFFFFFF for a in arguments))
    program = seccomp.build(machine, PID, attributes=attributes, oldest=OLDEST)
    code = list(struct.iter_unpack("HBBI", program))
    at = value = 0
    while True:
        op, yes, no, k = code[at]
        at += 1
        if op == seccomp.LOAD:
            (value,) = struct.unpack_from("<I", data, k)
        elif op == seccomp.AND:
            value &= k
        elif op == seccomp.JUMP:
            at += k
        elif op == seccomp.RETURN:
            return k
        else:
            test = {seccomp.EQUAL: value == k, seccomp.GREATER: value > k, seccomp.AT_LEAST: value >= k}[op]
            at += yes if test else no


def _number(machine: str, name: str) -> int:
    return next(table[name] for table in (seccomp.numbers(block, machine) for block in BLOCKS) if name in table)


THREAD = 0x3D0F00  # what glibc asks for a new thread: CLONE_VM, CLONE_THREAD and more
ALLOWED = [
    ("read",), ("openat",), ("futex",), ("exit_group",), ("getrandom",), ("ppoll",), ("bind",), ("accept4",),
    ("clone", THREAD), ("socket", 1, 1 | 0o2000000), ("socketpair", 1, 1), ("sendto", 3, 0, 5, 0, 0),
    ("kill", PID, 2), ("tgkill", PID, 1, 6), ("prctl", 15), ("prlimit64", 0), ("prlimit64", PID),
    ("mmap", 0, 4096, 3, 0x22), ("mmap", 0, 4096, 1, 0x01), ("fcntl", 3, 1030), ("ioctl", 3, 0x5421),
]  # fmt: skip
REFUSED = [
    ("clone", 17), ("clone", THREAD | 0x10000000), ("socket", 2, 1), ("socket", 1, 2), ("socket", 16, 3),
    ("socketpair", 1, 2), ("sendto", 3, 0, 5, 0, 0x1000), ("sendto", 3, 0, 5, 0, 1 << 32),
    ("kill", 1, 9), ("kill", -1, 9), ("kill", 0, 9), ("kill", -PID, 9), ("tgkill", 1, 1, 9),
    ("sched_setscheduler", 1, 0), ("sched_setscheduler", OLDEST - 1, 0), ("sched_setscheduler", OLDEST - 1, 5),
    ("fcntl", 3, 10), ("fcntl", 3, 8), ("prctl", 1), ("prctl", 4), ("prctl", 22), ("prlimit64", 1), ("mmap", 0, 4096, 3, 0x21), ("mmap", 0, 4096, 3, 0x23),
    ("mmap", 0, 4096, 3, 0x122), ("mmap", 0, 4096, 3, 0x40022), ("fcntl", 3, 8), ("fcntl", 3, 1024), ("ioctl", 0, 0x5412),
    ("fchmodat",), ("fchownat",), ("utimensat",), ("fchmod",),
]  # fmt: skip
# libzmq's threads have numbers of their own; locks would be seen by other kernels.
PRETENDED = [
    ("flock", 3, 2), ("flock", 3, 6), ("fcntl", 3, 6), ("fcntl", 3, 7), ("fcntl", 3, 37), ("fcntl", 3, 38),
    ("sched_setscheduler", 0, 0), ("sched_setscheduler", PID, 0), ("sched_setscheduler", PID + 3, 0),
    ("sched_setscheduler", 0, 5), ("sched_setscheduler", PID, 0x40000000),
]  # fmt: skip
NEVER = {
    "x86_64": {"connect": 42, "sendmsg": 46, "fork": 57, "vfork": 58, "execve": 59, "ptrace": 101, "mount": 165, "unshare": 272,
               "execveat": 322, "memfd_create": 319, "process_vm_readv": 310, "tkill": 200, "shmget": 29, "setxattr": 188,
               "io_uring_setup": 425, "pidfd_open": 434, "seccomp": 317, "setsid": 112},
    "aarch64": {"connect": 203, "sendmsg": 211, "execve": 221, "ptrace": 117, "mount": 40, "unshare": 97, "execveat": 281,
                "memfd_create": 279, "process_vm_readv": 270, "tkill": 130, "shmget": 194, "setxattr": 5,
                "io_uring_setup": 425, "pidfd_open": 434, "seccomp": 277, "setsid": 157},
}  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("call", ALLOWED, ids=str)
def test_allows_what_notebooks_need(machine: str, call: "tuple[str, ...]") -> None:
    """Files, threads, one's own signals and sockets."""
    assert answer(machine, *call) == seccomp.ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("call", REFUSED, ids=str)
def test_refuses_dangerous_arguments(machine: str, call: "tuple[str, ...]") -> None:
    """The same calls with arguments that reach out of the process."""
    assert answer(machine, *call) == seccomp.REFUSE


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("call", PRETENDED, ids=str)
def test_says_done_to_what_others_would_notice(machine: str, call: "tuple[str, ...]") -> None:
    """And nothing is done: Linux does not run the call."""
    assert answer(machine, *call) == seccomp.DONE


def test_numbers_that_begin_anew_are_not_taken_for_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Near the largest number a thread may get a smaller one than its process, and libzmq would abort."""
    largest = tmp_path / "pid_max"
    monkeypatch.setattr(seccomp, "Path", lambda _: largest)
    largest.write_text("32768\n")
    assert seccomp.oldest_of(20_000) == 20_000
    assert seccomp.oldest_of(32_000) == 0
    largest.unlink()
    assert seccomp.oldest_of(20_000) == 0


@pytest.mark.parametrize(("machine", "number"), [(m, n) for m, calls in NEVER.items() for n in calls.values()])
def test_refuses_dangerous_calls(machine: str, number: int) -> None:
    """Calls that no notebook needs, by number."""
    assert answer(machine, number) == seccomp.REFUSE


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_a_newer_linux_are_not_there(machine: str) -> None:
    """What we cannot know is answered as an older Linux would; clone3, whose arguments cannot be seen, too."""
    assert answer(machine, seccomp.NEWEST + 1) == answer(machine, "clone3") == seccomp.NOT_THERE


def test_refuses_other_ways_into_the_kernel() -> None:
    """The 32-bit and x32 entrances have other numbers: nothing is allowed through them."""
    assert answer("x86_64", "read", arch=0x40000003) == seccomp.REFUSE
    assert answer("x86_64", 0x40000000) == seccomp.REFUSE


@pytest.mark.parametrize("machine", MACHINES)
def test_attributes_may_be_changed_where_only_own_files_can_be_named(machine: str) -> None:
    """Changing modes and owners comes back in a file system of one's own."""
    assert answer(machine, "fchmodat", attributes=True) == seccomp.ALLOW
