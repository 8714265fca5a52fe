"""What a forked child does: close the sandbox around itself, then be an ordinary kernel.

`proctor.kernels.warm` calls `become` in the child. No student's code runs before the end of it.
"""

import atexit
import contextlib
import os
import signal
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any, NoReturn

from proctor.errors import NotSandboxed, SubmissionTooLarge
from proctor.kernels.forked import Child
from proctor.kernels.messages import MAX_DETAIL, Message, NotStarted, SandboxClosed, send
from proctor.light_kernel.app import kernel_app
from proctor.sandbox.enforce import enforce
from proctor.sandbox.policy import Policy

RESET = {number for number in signal.Signals if number not in (signal.SIGKILL, signal.SIGSTOP)}


_ours: list[str] = []  # modules that no student's code may find


def before_the_fork() -> None:
    """Note what to remove in every child: to look through thousands of names copies the pages that they lie on."""
    _ours[:] = [name for name in sys.modules if name.partition(".")[0] in ("proctor", "landlockpy")]


def become(child: Child) -> NoReturn:
    """Be the kernel that was requested, and report how that went."""
    code = 1
    try:
        _shed_parent(child.request.policy)
        closed = enforce(child.request.policy, child.parent)
        app = kernel_app(child.request.connection)
        for name in _ours:
            sys.modules.pop(name, None)
        _report(child, SandboxClosed(closed.missing, closed.hidden))
        # Nothing of the student's may run before this line: whoever asked has not heard of this kernel yet.
        app.open_path()
        code = _run(app)
    except BaseException as error:  # noqa: BLE001 - this process must not return into the one it was forked from
        _report(child, _failure(error))
    finally:
        os._exit(code)


def _failure(error: BaseException) -> NotStarted:
    if isinstance(error, NotSandboxed):
        return NotStarted("not sandboxed", str(error)[:MAX_DETAIL])
    if isinstance(error, SubmissionTooLarge):
        return NotStarted("too large", files=error.files, megabytes=error.megabytes)
    return NotStarted("failed", f"{type(error).__name__}: {error}"[:MAX_DETAIL])


def _report(child: Child, outcome: Message) -> None:
    with contextlib.suppress(OSError):  # closed: the report was made
        send(child.report, outcome)
        child.report.close()


def _shed_parent(policy: Policy) -> None:
    """Drop what a fork inherits and an ordinary process would not have."""
    for number in RESET:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    atexit._clear()
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    readable = [Path(path) for path in policy.readable]
    sys.path[:] = [entry for entry in sys.path if entry and any(Path(entry).is_relative_to(path) for path in readable)]
    tempfile.tempdir = None  # was chosen by the parent
    sys.argv[:] = ["ipykernel_launcher.py"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # the global generator was seeded before the fork: all kernels would agree


def _run(app: Any) -> int:
    # ipykernel's own exit handler can wait ten seconds for a thread that waits for it; the student's own still run.
    atexit._clear()
    try:
        app.start()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    finally:
        with contextlib.suppress(Exception):
            atexit._run_exitfuncs()
            sys.stdout.flush()
            time.sleep(0.05)  # libzmq's thread sends what was flushed
    return 0
