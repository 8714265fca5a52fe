"""Which system calls a student's process may make: a list of allowed ones, checked by the Linux kernel.

`proctor.sandbox.enforce` installs the filter last, when everything else is in place. It needs no rights, no user
namespace and no extra library, so it holds where the other layers do not; and it stops what Landlock leaves open: new
processes, connecting to sockets by path, signals, changing modes and owners, asking for memory that no limit counts.
A refused call fails with EPERM: the student sees a `PermissionError`, not a dead kernel.

Calls are named here with their numbers on x86-64 and on 64-bit ARM (``-`` where there is none). Numbers never change
once Linux has given them out; these come from ``asm/unistd_64.h`` and ``asm-generic/unistd.h``. What is not in `ALWAYS`
is refused, unless `rules` look at the call's arguments.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
NOT_THERE = 0x00050000 | errno.ENOSYS
DONE = 0x00050000  # the caller is told that it is done, and nothing is
LOAD, AND, JUMP, EQUAL, GREATER, AT_LEAST, RETURN = 0x20, 0x54, 0x05, 0x15, 0x25, 0x35, 0x06
NR, ARCH, ARGS = 0, 4, 16
X32_BIT = 0x40000000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

CLONE_THREAD = 0x00010000
CLONE_NEW = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
AF_UNIX, SOCK_STREAM, SOCK_TYPE_MASK = 1, 1, 0xF
MAP_SHARED_ANONYMOUS, MAP_GROWSDOWN, MAP_HUGETLB = 0x21, 0x100, 0x40000
PRCTL_HARMLESS = (2, 3, 15, 16, 21, 23, 29, 30, 39, 41, 42, 0x53564D41)  # names, reading one's own state, PR_SET_VMA
FCNTL_HARMLESS = (*range(6), 9, 36, 1030, 1031, 1032, 1033, 1034)  # not F_SETOWN, F_SETSIG, F_SETLEASE, F_NOTIFY
FCNTL_LOCKS = (6, 7, 37, 38)  # F_SETLK, F_SETLKW and those of open file descriptions
IOCTL_HARMLESS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIO[N]CLEX
SOCKET_OPTIONS_HARMLESS = (2, 9, 13, 15, 16, 20, 21, 66, 67)  # not the sizes of buffers, whose memory nothing counts

ALWAYS = {
    "read and write what is already open": """
        read:0:63 write:1:64 readv:19:65 writev:20:66 pread64:17:67 pwrite64:18:68 preadv:295:69 pwritev:296:70
        preadv2:327:286 pwritev2:328:287 close:3:57 close_range:436:436 lseek:8:62 dup:32:23 dup2:33:- dup3:292:24
        pipe:22:- pipe2:293:59 eventfd:284:- eventfd2:290:19 fsync:74:82 fdatasync:75:83 sync_file_range:277:84
        sendfile:40:71 copy_file_range:326:285 splice:275:76 tee:276:77 fadvise64:221:223 readahead:187:213
        fallocate:285:47
    """,
    "files by name (landlock decides which)": """
        open:2:- openat:257:56 openat2:437:437 creat:85:- access:21:- faccessat:269:48 faccessat2:439:439 stat:4:-
        fstat:5:80 lstat:6:- newfstatat:262:79 statx:332:291 statfs:137:43 fstatfs:138:44 readlink:89:-
        readlinkat:267:78 getdents:78:- getdents64:217:61 getcwd:79:17 chdir:80:49 fchdir:81:50 mkdir:83:-
        mkdirat:258:34 rmdir:84:- unlink:87:- unlinkat:263:35 rename:82:- renameat:264:38 renameat2:316:276
        link:86:- linkat:265:37 symlink:88:- symlinkat:266:36 mknod:133:- mknodat:259:33 truncate:76:45
        ftruncate:77:46 umask:95:166
    """,
    "memory": """
        brk:12:214 munmap:11:215 mremap:25:216 mprotect:10:226 madvise:28:233 mincore:27:232 msync:26:227
        mlock:149:228 mlock2:325:284 munlock:150:229 membarrier:324:283 pkey_alloc:330:289 pkey_free:331:290
        pkey_mprotect:329:288 get_mempolicy:239:236 getrandom:318:278 map_shadow_stack:453:453
    """,
    "waiting": """
        poll:7:- ppoll:271:73 select:23:- pselect6:270:72 epoll_create:213:- epoll_create1:291:20 epoll_ctl:233:21
        epoll_ctl_old:214:- epoll_wait:232:- epoll_wait_old:215:- epoll_pwait:281:22 epoll_pwait2:441:441 pause:34:-
        nanosleep:35:101 clock_nanosleep:230:115 clock_gettime:228:113 clock_getres:229:114 gettimeofday:96:169
        time:201:- timerfd_create:283:85 timerfd_settime:286:86 timerfd_gettime:287:87 alarm:37:- getitimer:36:102
        setitimer:38:103 timer_create:222:107 timer_settime:223:110 timer_gettime:224:108 timer_getoverrun:225:109
        timer_delete:226:111 restart_syscall:219:128
    """,
    "threads": """
        futex:202:98 futex_waitv:449:449 futex_wake:454:454 futex_wait:455:455 futex_requeue:456:456
        set_robust_list:273:99 get_robust_list:274:100 set_tid_address:218:96 gettid:186:178 rseq:334:293
        sched_yield:24:124 sched_getaffinity:204:123 sched_getparam:143:121 sched_getscheduler:145:120
        sched_get_priority_max:146:125 sched_get_priority_min:147:126 sched_rr_get_interval:148:127
        sched_getattr:315:275 getcpu:309:168 exit:60:93 exit_group:231:94 arch_prctl:158:-
    """,
    "signals to oneself": """
        rt_sigaction:13:134 rt_sigprocmask:14:135 rt_sigreturn:15:139 rt_sigpending:127:136 rt_sigsuspend:130:133
        rt_sigtimedwait:128:137 sigaltstack:131:132 signalfd:282:- signalfd4:289:74 wait4:61:260 waitid:247:95
    """,
    "who am I": """
        getpid:39:172 getppid:110:173 getpgrp:111:- getpgid:121:155 getsid:124:156 getuid:102:174 geteuid:107:175
        getgid:104:176 getegid:108:177 getresuid:118:148 getresgid:120:150 getgroups:115:158 uname:63:160
        sysinfo:99:179 times:100:153 getrusage:98:165 getrlimit:97:163 getpriority:140:141 capget:125:90
    """,
    "sockets that exist": """
        bind:49:200 listen:50:201 accept:43:202 accept4:288:242 getsockname:51:204 getpeername:52:205
        getsockopt:55:209 shutdown:48:210 recvfrom:45:207 recvmsg:47:212
    """,
}

# Landlock has no say in these. They are allowed only where nothing but the student's own files can be named.
ATTRIBUTES = """
    chmod:90:- fchmod:91:52 fchmodat:268:53 fchmodat2:452:452 chown:92:- fchown:93:55 lchown:94:- fchownat:260:54
    utime:132:- utimes:235:- futimesat:261:- utimensat:280:88
"""

# Allowed for some arguments: see `rules`.
BY_ARGUMENTS = """
    clone:56:220 socket:41:198 socketpair:53:199 sendto:44:206 kill:62:129 tgkill:234:131 prctl:157:167
    prlimit64:302:261 setsockopt:54:208 mmap:9:222 fcntl:72:25 ioctl:16:29
"""

# Said to be done, and not done, for some arguments: see `pretended`.
PRETENDED = """
    flock:73:32 fcntl:72:25 sched_setscheduler:144:119
"""

# Answered with ENOSYS, so that the C library falls back to a call whose arguments can be checked.
HIDDEN = """
    clone3:435:435
"""

# Whatever Linux adds after this number is answered with ENOSYS, as an older Linux would.
NEWEST = 456

# That many process numbers are not given out in the moment in which a kernel starts.
NUMBERS_TO_GO = 2_000


class Check(NamedTuple):
    """``argument & mask`` must be one of `values`, or `least` or more; `high` looks at the argument's upper 32 bits."""

    argument: int
    values: Sequence[int]
    mask: int = 0xFFFFFFFF
    high: bool = False
    least: int | None = None


def rules(pid: int) -> Mapping[str, Sequence[Check]]:
    """For each call of `BY_ARGUMENTS` the checks that must all hold; `pid` is the process itself."""
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
        "fcntl": [Check(1, FCNTL_HARMLESS)],
        "ioctl": [Check(1, IOCTL_HARMLESS)],
    }


def pretended(oldest: int) -> Mapping[str, Sequence[Check]]:
    """For each call of `PRETENDED` the checks that must all hold, or it is looked at further, and then refused.

    A lock on a file that all kernels can read would be a channel between them, and a million of them would fill Linux's
    memory. A process that is alone with its files needs none, but SQLite and HDF5 insist on theirs. libzmq aborts if a
    thread of its own cannot set the policy that it already has, whichever the grader was started with; whose number
    that is cannot be told from another process's, but those below `oldest` are others'.
    """
    return {
        "flock": [],
        "fcntl": [Check(1, FCNTL_LOCKS)],
        "sched_setscheduler": [Check(0, [0], least=oldest)],
    }


def oldest_of(pid: int) -> int:
    """Threads of the process `pid` have numbers from here on; 0 near the largest number, where they begin anew.

    Asked while ``/proc/sys`` is still in sight.
    """
    try:
        largest = int(Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return pid if pid + NUMBERS_TO_GO < largest else 0


def supported() -> bool:
    """Whether there is a table of system calls for this machine."""
    return platform.system() == "Linux" and platform.machine() in AUDIT_ARCH and struct.calcsize("P") == 8


def install(*, attributes: bool, oldest: int) -> None:
    """Close the filter over this process for good; no thread but the caller may be running.

    `attributes` allows chmod, chown and utime; `oldest` is for `pretended`. Raises ``OSError`` where Linux refuses.
    """
    install_program(build(platform.machine(), os.getpid(), attributes=attributes, oldest=oldest))


def install_program(program: bytes) -> None:
    """Put a BPF program in place as this process's filter. Raises ``OSError``."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0)):
        if libc.prctl(*(ctypes.c_ulong(a) if isinstance(a, int) else a for a in call)) != 0:
            raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")


def build(machine: str, pid: int, *, attributes: bool, oldest: int) -> bytes:
    """The filter as a BPF program: allowed numbers first, then the calls with checks, then refusal."""
    blocks = [*ALWAYS.values(), *([ATTRIBUTES] if attributes else [])]
    allowed = {number for block in blocks for number in numbers(block, machine).values()}
    code = [_op(LOAD, ARCH), _op(EQUAL, AUDIT_ARCH[machine], 1, 0), _op(RETURN, REFUSE), _op(LOAD, NR)]
    if machine == "x86_64":
        code += [_op(AT_LEAST, X32_BIT, 0, 1), _op(RETURN, REFUSE)]
    for low, high in _ranges(allowed):
        code += [_op(GREATER, high, 2, 0), _op(AT_LEAST, low, 0, 1), _op(RETURN, ALLOW)]
    for name, number in numbers(PRETENDED, machine).items():
        body = _checked(pretended(oldest)[name], DONE, [_op(LOAD, NR)])
        code += [_op(EQUAL, number, 0, len(body)), *body]
    for name, number in numbers(BY_ARGUMENTS, machine).items():
        body = _checked(rules(pid)[name], ALLOW, [_op(RETURN, REFUSE)])
        code += [_op(EQUAL, number, 0, len(body)), *body]
    for number in numbers(HIDDEN, machine).values():
        code += [_op(EQUAL, number, 0, 1), _op(RETURN, NOT_THERE)]
    code += [_op(GREATER, NEWEST, 0, 1), _op(RETURN, NOT_THERE), _op(RETURN, REFUSE)]
    return b"".join(code)


def numbers(names: str, machine: str) -> dict[str, int]:
    """Numbers of the calls of one block above on `machine` (``x86_64`` or ``aarch64``); calls it lacks are left out."""
    column = ("x86_64", "aarch64").index(machine) + 1
    rows = (row.split(":") for row in names.split())
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def _checked(checks: Sequence[Check], answer: int, otherwise: Sequence[bytes]) -> list[bytes]:
    """Return `answer` if all `checks` hold; else come out at `otherwise`, which stands at the end."""
    code: list[bytes] = [_op(RETURN, answer)]
    for check in reversed(checks):
        # A match jumps over the remaining comparisons and the jump to the end, to the next check.
        last = [] if check.least is None else [_op(AT_LEAST, check.least, 1, 0)]
        left = len(check.values) + len(last)
        tests = [_op(EQUAL, value, left - index, 0) for index, value in enumerate(check.values)]
        tests += [*last, _op(JUMP, len(code))]
        where = ARGS + 8 * check.argument + (4 if check.high else 0)
        code = [_op(LOAD, where), _op(AND, check.mask), *tests, *code]
    return [*code, *otherwise]


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
