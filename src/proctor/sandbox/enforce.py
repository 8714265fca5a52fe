"""How a `Policy` is put in place around a student's process.

`proctor.kernels.child` calls `enforce` in every kernel right after the fork, while it has one thread and before it has
read a byte of the student's. `proctor.sandbox.probes` calls it in the throw-away processes that try what holds here.

Three layers say the same thing, so that what remains still holds where one of them is refused:

- *namespaces* (root, or user namespaces allowed): the process sees no file but the allowed ones, its scratch folder is
  a copy in memory of limited size, there is no network;
- *Landlock*: which files may be opened for what, no TCP, no abstract sockets and no signals to others;
- *seccomp*: no new process, no connecting, no signals, no modes and owners, and some two hundred other calls.

With resource limits, an unprivileged user of its own (when started by root) and no capabilities.
"""

import ctypes
import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from proctor.errors import NotSandboxed
from proctor.sandbox import limits, namespaces, seccomp
from proctor.sandbox.policy import DEVICES, Policy, environment_of
from proctor.sandbox.scratch import Owner
from proctor.sandbox.world import World, current_user

PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
LANDLOCK_TRUNCATE = 3  # the ABI that came with it


class Closed(NamedTuple):
    """The layers that are `missing` of a sandbox and why, and whether all files but the allowed ones are `hidden`."""

    missing: tuple[str, ...]
    hidden: bool


def enforce(policy: Policy, parent: int) -> Closed:
    """Close the sandbox around this process, for good.

    Called in the forked child, single-threaded, with no descriptor open but 0 to 2 and those that must survive.
    `parent` is the process whose death ends this one. Leaves the process in its scratch folder. Raises `NotSandboxed`
    when what is missing matters and the policy does not say to go on, `SubmissionTooLarge` when its files do not fit.
    """
    _die_with(parent)
    os.environ.clear()
    os.environ.update(environment_of(policy))
    if not policy.enforced:
        _enter_scratch(policy, current_user())
        return Closed(("switched off",), hidden=False)
    attempt, oldest = _Attempts(policy.layers), seccomp.oldest_of(os.getpid())
    # If the machine's memory runs out all the same, this process goes first.
    attempt("limits", _go_first)
    world = World(policy)
    attempt("namespaces", world.build)
    if not world.hidden:
        world.settle_outside()
    _enter_scratch(policy, world.owner)
    own_count = world.owner[0] != os.getuid() or (world.mapped and limits.counts_per_namespace())
    attempt("limits", lambda: limits.set_limits(policy, own_count=own_count))
    attempt("user", lambda: _become(world.owner))
    attempt("landlock", lambda: _landlock(policy))
    _die_with(parent)  # changing the user has cleared it
    attempt("seccomp", lambda: seccomp.install(attributes=world.hidden, oldest=oldest))
    os.umask(0o077)
    if not attempt.enough and not policy.allow_missing:
        raise NotSandboxed("; ".join(attempt.missing.values()))
    return Closed(tuple(attempt.missing.values()), hidden=world.hidden)


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


def _enter_scratch(policy: Policy, owner: Owner) -> None:
    os.chdir(policy.scratch)
    for name in ("TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        place = environment_of(policy)[name]
        Path(place).mkdir(mode=0o700, exist_ok=True)
        os.chown(place, *owner, follow_symlinks=False)


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _become(owner: Owner) -> None:
    """Take the user and drop every capability; nothing that is executed later can bring them back."""
    uid, gid = owner
    namespaces.drop_bounding_set()
    if uid != os.geteuid():
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    namespaces.drop_capabilities()
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def _go_first() -> None:
    Path("/proc/self/oom_score_adj").write_text("1000")


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
