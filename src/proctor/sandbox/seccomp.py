"""Which system calls a student's process may make: a list of allowed ones, checked by the Linux kernel.

`proctor.sandbox.enforce` installs the filter last, when everything else is in place. It needs no rights, no user
namespace and no extra library, so it holds where the other layers do not; and it stops what Landlock leaves open: new
processes, connecting to sockets by path, signals, changing modes and owners, asking for memory that no limit counts.
A refused call fails with EPERM: the student sees a `PermissionError`, not a dead kernel.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from proctor.sandbox import syscalls

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
NOT_THERE = 0x00050000 | errno.ENOSYS
LOAD, AND, EQUAL, GREATER, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x25, 0x35, 0x06
NR, ARCH, ARGS = 0, 4, 16
X32_BIT = 0x40000000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

CLONE_THREAD = 0x00010000
CLONE_NEW = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
AF_UNIX, SOCK_STREAM, SOCK_TYPE_MASK = 1, 1, 0xF
MAP_SHARED_ANONYMOUS, MAP_GROWSDOWN, MAP_HUGETLB = 0x21, 0x100, 0x40000
PRCTL_HARMLESS = (2, 3, 15, 16, 21, 23, 29, 30, 39, 41, 42, 0x53564D41)  # names, reading one's own state, PR_SET_VMA
FCNTL_HARMLESS = (*range(10), 36, 37, 38, 1030, 1031, 1032, 1033, 1034)  # not F_SETOWN, F_SETSIG, F_SETLEASE, F_NOTIFY
IOCTL_HARMLESS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIO[N]CLEX
SOCKET_OPTIONS_HARMLESS = (2, 9, 13, 15, 16, 20, 21, 66, 67)  # not the sizes of buffers, whose memory nothing counts
F_SETOWN = 8
SCHED_OTHER = 0


class Check(NamedTuple):
    """``argument & mask`` must be one of `values`; `high` looks at the upper 32 bits of the argument."""

    argument: int
    values: Sequence[int]
    mask: int = 0xFFFFFFFF
    high: bool = False


def rules(pid: int) -> Mapping[str, Sequence[Check]]:
    """For each call of `syscalls.BY_ARGUMENTS` the checks that must all hold; `pid` is the process itself."""
    stream_socket = [Check(0, [AF_UNIX]), Check(1, [SOCK_STREAM], SOCK_TYPE_MASK)]
    return {
        "clone": [Check(0, [CLONE_THREAD], CLONE_THREAD | CLONE_NEW)],
        "socket": stream_socket,
        "socketpair": stream_socket,
        "sendto": [Check(4, [0]), Check(4, [0], high=True)],
        "kill": [Check(0, [pid])],
        "tgkill": [Check(0, [pid])],
        "prctl": [Check(0, PRCTL_HARMLESS)],
        "prlimit64": [Check(0, [0, pid])],
        "setsockopt": [Check(2, SOCKET_OPTIONS_HARMLESS)],
        # Shared anonymous memory and huge pages are not counted by RLIMIT_DATA; neither is a stack that grows.
        "mmap": [Check(3, [0], MAP_GROWSDOWN | MAP_HUGETLB), Check(3, [0x00, 0x01, 0x20], MAP_SHARED_ANONYMOUS)],
        "fcntl": [Check(1, [command for command in FCNTL_HARMLESS if command != F_SETOWN])],
        # libzmq aborts if a thread of its own cannot set the policy that it already has.
        "sched_setscheduler": [Check(1, [SCHED_OTHER])],
        "ioctl": [Check(1, IOCTL_HARMLESS)],
    }


def supported() -> bool:
    """Whether there is a table of system calls for this machine."""
    return platform.system() == "Linux" and platform.machine() in AUDIT_ARCH and struct.calcsize("P") == 8


def install(*, attributes: bool, pid: int | None = None) -> None:
    """Close the filter over this process for good; no thread but the caller may be running.

    `attributes` allows chmod, chown and utime. Raises ``OSError`` where Linux refuses.
    """
    install_program(build(platform.machine(), os.getpid() if pid is None else pid, attributes=attributes))


def install_program(program: bytes) -> None:
    """Put a BPF program in place as this process's filter. Raises ``OSError``."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0)):
        if libc.prctl(*(ctypes.c_ulong(a) if isinstance(a, int) else a for a in call)) != 0:
            raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")


def build(machine: str, pid: int, *, attributes: bool) -> bytes:
    """The filter as a BPF program: allowed numbers first, then the calls with checks, then refusal."""
    blocks = [*syscalls.ALWAYS.values(), *([syscalls.ATTRIBUTES] if attributes else [])]
    allowed = {number for block in blocks for number in syscalls.numbers(block, machine).values()}
    code = [_op(LOAD, ARCH), _op(EQUAL, AUDIT_ARCH[machine], 1, 0), _op(RETURN, REFUSE), _op(LOAD, NR)]
    if machine == "x86_64":
        code += [_op(AT_LEAST, X32_BIT, 0, 1), _op(RETURN, REFUSE)]
    for low, high in _ranges(allowed):
        code += [_op(GREATER, high, 2, 0), _op(AT_LEAST, low, 0, 1), _op(RETURN, ALLOW)]
    for name, number in syscalls.numbers(syscalls.BY_ARGUMENTS, machine).items():
        body = _checked(rules(pid)[name])
        code += [_op(EQUAL, number, 0, len(body)), *body]
    for number in syscalls.numbers(syscalls.NOT_THERE, machine).values():
        code += [_op(EQUAL, number, 0, 1), _op(RETURN, NOT_THERE)]
    code += [_op(GREATER, syscalls.NEWEST, 0, 1), _op(RETURN, NOT_THERE), _op(RETURN, REFUSE)]
    return b"".join(code)


def _checked(checks: Iterable[Check]) -> list[bytes]:
    code: list[bytes] = []
    for check in checks:
        code += [_op(LOAD, ARGS + 8 * check.argument + (4 if check.high else 0)), _op(AND, check.mask)]
        left = len(check.values)
        # A match jumps over the remaining comparisons and the refusal, to the next check.
        code += [_op(EQUAL, value, left - index, 0) for index, value in enumerate(check.values)]
        code.append(_op(RETURN, REFUSE))
    return [*code, _op(RETURN, ALLOW)]


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def _op(code: int, k: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, jump_true, jump_false, k)
