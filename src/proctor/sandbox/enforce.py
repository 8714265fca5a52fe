"""What a student's process may touch, in one place, and how that is enforced.

`proctor.kernels.warm` calls `enforce` in every kernel right after the fork, while it has one thread and before it has
read a byte of the student's. `proctor doctor` and grading ask `available` and `missing` what this machine can do:
each answer comes from trying it in a throw-away process (`proctor.sandbox.probes`).

Three layers say the same thing, so that what remains still holds where one of them is refused:

- *namespaces* (root, or user namespaces allowed): the process sees no file but the allowed ones, its scratch folder is
  a copy in memory of limited size, there is no network;
- *Landlock*: which files may be opened for what, no TCP, no abstract sockets and no signals to others;
- *seccomp*: no new process, no connecting, no signals, no modes and owners, and some two hundred other calls.

With resource limits, an unprivileged user of its own (when started by root) and no capabilities.
"""

import ctypes
import errno
import json
import os
import platform
import resource
import signal
import site
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from proctor.errors import NotSandboxed
from proctor.sandbox import namespaces, seccomp

MB = 1 << 20
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
FIRST_OWN_UID = 0x60000000  # above every uid that is handed out; unique by adding the process's id
FIRST_OWN_UID_IN_CONTAINER = 40000  # where only 65,536 of them exist

SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib"),
    *("/usr/share/zoneinfo", "/usr/share/fonts", "/usr/share/locale", "/usr/share/i18n"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/sys/vm/overcommit_memory"),
    *("/sys/devices/system/cpu", "/dev/urandom", "/dev/random"),
)
MAX_SOCKETS = 64  # files that a kernel may have in its run folder; five are needed
MAX_PAGE_TABLES = 128 * MB
LANDLOCK_TRUNCATE = 3  # the ABI that came with it
LAYERS = ("namespaces", "limits", "user", "landlock", "seccomp")
DEVICES = ("/dev/null",)  # also writable. Not /dev/zero: mapping it is a way around the memory limit


def _readable() -> tuple[str, ...]:
    """The interpreter, its packages and the system's libraries; only folders that hold nothing else."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = [*(sysconfig.get_path(name) for name in names), *site.getsitepackages(), f"{sys.base_prefix}/lib"]
    if site.ENABLE_USER_SITE:
        paths.append(site.getusersitepackages())
    paths.append(f"{sys.prefix}/pyvenv.cfg")
    return (*dict.fromkeys(str(Path(path).resolve()) for path in paths), *SYSTEM)


@dataclass(frozen=True)
class Policy:
    """What one student's process may touch and use. Sizes in bytes, times in seconds.

    `scratch` is where the notebook runs: readable and writable (a copy of it, where the machine allows). `sockets` is
    where the kernel makes its Jupyter sockets, and nothing else; `proctor.kernels.manager` fills it in. With
    `allow_missing` the kernel starts even if a layer cannot be put in place; with `enforced` false nothing is (for
    ``--allow-unsandboxed`` on a machine that can do none of this).
    """

    scratch: str
    sockets: str = ""
    readable: tuple[str, ...] = field(default_factory=_readable)
    memory: int = 4096 * MB  # on top of what a kernel has when it starts
    processes: int = 512  # threads, in fact: there are no new processes
    open_files: int = 512
    file_size: int = 128 * MB
    disk_total: int = 256 * MB
    files_total: int = 4096
    cpu_seconds: int = 600
    stack: int = 8 * MB
    environment: Mapping[str, str] = field(default_factory=dict)  # more variables than `environment_of` gives
    allow_missing: bool = False
    enforced: bool = True
    layers: tuple[str, ...] = LAYERS

    def to_json(self) -> str:
        """Text for `from_json`; travels to the process that forks the kernels."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Policy":
        """Read what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        plain: dict[str, Any] = {n: tuple(value) if isinstance(value, list) else value for n, value in data.items()}
        return cls(**plain)


def environment_of(policy: Policy) -> dict[str, str]:
    """Every environment variable of a student's process: these, and nothing from the grader's."""
    home = policy.scratch
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "TMPDIR": f"{home}/.tmp",
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OPENBLAS_NUM_THREADS": "1",
        **policy.environment,
    }


class Closed(NamedTuple):
    """What is `missing` of a sandbox, in words, and whether all files but the allowed ones are `hidden`."""

    missing: list[str]
    hidden: bool


def enforce(policy: Policy, parent: int) -> Closed:
    """Close the sandbox around this process, for good.

    Called in the forked child, single-threaded, with no descriptor open but 0 to 2 and those that must survive.
    `parent` is the process whose death ends this one. Leaves the process in its scratch folder. Raises `NotSandboxed`
    when what is missing matters and the policy does not say to go on.
    """
    _die_with(parent)
    os.environ.clear()
    os.environ.update(environment_of(policy))
    if not policy.enforced:
        _enter_scratch(policy, _current_user())
        return Closed(["switched off"], hidden=False)
    attempt = _Attempts(policy.layers)
    # If the machine's memory runs out all the same, this process goes first.
    attempt("limits", _go_first)
    world = _World(policy)
    attempt("namespaces", world.build)
    if not world.hidden:
        world.settle_outside()
    _enter_scratch(policy, world.owner)
    attempt(
        "limits",
        lambda: _limit(policy, own_count=world.owner[0] != os.getuid() or (world.mapped and _counts_per_namespace())),
    )
    attempt("user", lambda: _become(world.owner))
    attempt("landlock", lambda: _landlock(policy))
    _die_with(parent)  # changing the user has cleared it
    attempt("seccomp", lambda: seccomp.install(attributes=world.hidden))
    os.umask(0o077)
    if not attempt.enough and not policy.allow_missing:
        raise NotSandboxed("; ".join(attempt.missing.values()))
    return Closed(list(attempt.missing.values()), hidden=world.hidden)


def too_much(policy: Policy, pid: int, *, hidden: bool) -> str | None:
    """Why a process must be ended now, or None: what Linux does not limit (everywhere), looked at from outside.

    For `proctor.kernels.warm`, which asks a few times a second. A `hidden` process has a scratch folder with limits
    of its own.
    """
    with suppress(OSError, StopIteration):
        if int(_status("Threads", pid)) > policy.processes:
            return f"the notebook started more than {policy.processes} threads"
    with suppress(OSError, StopIteration):
        # Not in RLIMIT_DATA: what Linux needs to remember which pages of a huge, empty mapping were looked at.
        if int(_status("VmPTE", pid).split()[0]) * 1024 > MAX_PAGE_TABLES:
            return f"the notebook mapped so much memory that its page tables take more than {MAX_PAGE_TABLES // MB} MB"
    if policy.sockets and sum(1 for _ in Path(policy.sockets).iterdir()) > MAX_SOCKETS:
        return f"the notebook made more than {MAX_SOCKETS} sockets"
    return None if hidden else _too_many_files(policy)


def _too_many_files(policy: Policy) -> str | None:
    size = count = 0
    for place, folders, files in os.walk(policy.scratch):
        for name in (*folders, *files):
            with suppress(OSError):
                size += os.lstat(f"{place}/{name}").st_blocks * 512
            count += 1
        if size > policy.disk_total:
            return f"the notebook wrote more than {policy.disk_total // MB} MB of files"
        if count > policy.files_total:
            return f"the notebook made more than {policy.files_total} files"
    return None


class _Attempts:
    """Runs the steps of one sandbox and remembers which of them Linux refused."""

    def __init__(self, layers: tuple[str, ...]) -> None:
        self._layers = layers
        self.missing: dict[str, str] = {}

    def __call__(self, layer: str, action: Callable[[], None]) -> None:
        if layer not in self._layers:
            self.missing[layer] = f"{layer}: switched off"
            return
        try:
            action()
        except (OSError, ImportError, NotImplementedError) as error:
            self.missing[layer] = f"{layer}: {error}"

    @property
    def enough(self) -> bool:
        """Whether what is in place stops everything that matters; files are closed off by either of two layers."""
        files = "namespaces" not in self.missing or "landlock" not in self.missing
        return files and "seccomp" not in self.missing and "limits" not in self.missing


class _World:
    """The file system, network and user that one process gets."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.hidden = False  # whether everything but the allowed paths is out of sight
        self.mapped = False  # whether a user namespace was needed, in which there is only one's own user
        self.owner = _current_user()

    def build(self) -> None:
        """Leave the machine's namespaces for a file system with nothing in it but what the policy allows."""
        policy = self.policy
        scratch, sockets = Path(policy.scratch), Path(policy.sockets or policy.scratch)
        os.umask(0o022)
        self.mapped = namespaces.leave()
        if not self.mapped:
            self.owner = _own_user([path for path in policy.readable if path not in SYSTEM])
        root = namespaces.NewRoot(sockets)
        root.keep(sockets)
        root.open()
        for path in (*policy.readable, *DEVICES):
            root.show(Path(path))
        root.show(Path(f"/proc/{os.getpid()}"))
        root.link(Path("/proc/self"), str(os.getpid()))
        root.prepare(scratch)
        root.prepare(sockets)
        root.close_for_writing()
        if policy.sockets:
            root.show(sockets)
            os.chown(root.inside(sockets), *self.owner)
        files = root.scratch(scratch, policy.disk_total, policy.files_total, self.owner)
        self._fill(scratch, files)
        root.enter(platform.machine())
        self.hidden = True

    def _fill(self, scratch: Path, files: Path) -> None:
        try:
            namespaces.copy_files(scratch, files, self.owner)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            limits = f"{self.policy.files_total} files and {self.policy.disk_total // MB} MB"
            message = f"the submission's own files do not fit into its limit of {limits}"
            raise NotSandboxed(message) from None

    def settle_outside(self) -> None:
        """Without a file system of its own: what is writable must belong to the user that the process becomes."""
        policy = self.policy
        python = [path for path in policy.readable if path not in SYSTEM]
        self.owner = (
            _current_user() if self.mapped else _own_user([policy.scratch, policy.sockets, *python], whole=True)
        )
        if self.owner != _current_user():
            for folder in filter(None, (policy.scratch, policy.sockets)):
                _hand_over(folder, self.owner)


def _current_user() -> tuple[int, int]:
    return os.geteuid(), os.getegid()


def _own_user(paths: Iterable[str], *, whole: bool = False) -> tuple[int, int]:
    """A user of this process's own, if root started it and that user could read `paths`; else the current one.

    `whole` looks at the folders above `paths` too; in a file system of our own those are ours.
    """
    wanted = FIRST_OWN_UID + os.getpid()
    capabilities = int(_status("CapEff"), 16)
    may_change = all(capabilities >> number & 1 for number in (0, 1, 6, 7))  # CHOWN, DAC_OVERRIDE, SETGID, SETUID
    if os.geteuid() != 0 or not may_change or not all(_readable_by_all(Path(path), whole) for path in paths if path):
        return _current_user()
    second = FIRST_OWN_UID_IN_CONTAINER + os.getpid() % 20000
    return next(((uid, uid) for uid in (wanted, second) if _is_mapped(uid)), _current_user())


def _readable_by_all(path: Path, whole: bool) -> bool:
    try:
        above = all(parent.stat().st_mode & 0o001 for parent in path.parents) if whole else True
        return above and (whole or bool(path.stat().st_mode & 0o004))
    except FileNotFoundError:
        return True


def _is_mapped(uid: int) -> bool:
    rows = [[int(word) for word in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(first <= uid < first + count for first, _, count in rows)


def _hand_over(folder: str, owner: tuple[int, int]) -> None:
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(place, name), *owner, follow_symlinks=False)


def _enter_scratch(policy: Policy, owner: tuple[int, int]) -> None:
    os.chdir(policy.scratch)
    for name in ("TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        place = environment_of(policy)[name]
        Path(place).mkdir(mode=0o700, exist_ok=True)
        os.chown(place, *owner, follow_symlinks=False)


def _die_with(parent: int) -> None:
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _counts_per_namespace() -> bool:
    """Whether RLIMIT_NPROC counts within a user namespace; before Linux 5.14 it counts all of the user's threads."""
    return tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2]) >= (5, 14)


def _go_first() -> None:
    Path("/proc/self/oom_score_adj").write_text("1000")


def _limit(policy: Policy, *, own_count: bool) -> None:
    """Resource limits. `own_count`: Linux counts this process's threads apart from the rest of its user's."""
    limits = {
        resource.RLIMIT_DATA: int(_status("VmData").split()[0]) * 1024 + policy.memory,
        resource.RLIMIT_FSIZE: policy.file_size,
        resource.RLIMIT_NOFILE: policy.open_files,
        resource.RLIMIT_STACK: policy.stack,
        resource.RLIMIT_CPU: policy.cpu_seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 64 * 1024,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NICE: 0,
        resource.RLIMIT_RTPRIO: 0,
        resource.RLIMIT_SIGPENDING: 4096,
    }
    if own_count:
        limits[resource.RLIMIT_NPROC] = policy.processes
    for limit, value in limits.items():
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _status(name: str, pid: int | str = "self") -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))


def _become(owner: tuple[int, int]) -> None:
    """Take the user and drop every capability; nothing that is executed later can bring them back."""
    uid, gid = owner
    namespaces.drop_bounding_set()
    if uid != os.geteuid():
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    namespaces.drop_capabilities()
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _landlock(policy: Policy) -> None:
    from landlockpy import AccessFS, Ruleset, Scope, abi_version

    read = AccessFS.READ_FILE | AccessFS.READ_DIR
    write = AccessFS.WRITE_FILE | AccessFS.TRUNCATE | AccessFS.MAKE_REG | AccessFS.MAKE_DIR | AccessFS.REFER
    remove = AccessFS.REMOVE_FILE | AccessFS.REMOVE_DIR
    with Ruleset(scoped=Scope.ABSTRACT_UNIX_SOCKET | Scope.SIGNAL) as rules:
        for path in (*policy.readable, "/proc/self"):
            if Path(path).exists():
                rules.allow_path(path, read if Path(path).is_dir() else AccessFS.READ_FILE)
        for path in DEVICES:
            rules.allow_path(path, AccessFS.READ_FILE | AccessFS.WRITE_FILE)
        rules.allow_path(policy.scratch, read | write | remove)
        if policy.sockets:
            rules.allow_path(policy.sockets, AccessFS.MAKE_SOCK | AccessFS.REMOVE_FILE)
        rules.restrict()
    if abi_version() < LANDLOCK_TRUNCATE:
        raise OSError(errno.EOPNOTSUPP, "Linux older than 6.2 does not keep a file from being emptied")
