"""What a forked child does: close the sandbox around itself, then be an ordinary kernel.

`proctor.kernels.warm` calls `become` in the child. No student's code runs before the end of it.
"""

import atexit
import contextlib
import functools
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import zmq
from ipykernel import ipkernel, kernelapp
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config

from proctor.errors import NotSandboxed, SubmissionTooLarge
from proctor.kernels.forked import Child
from proctor.kernels.messages import MAX_DETAIL, Message, NotStarted, SandboxClosed, send
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
        app = _kernel_app(child.request.connection)
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


class _Publisher(IOPubThread):
    """ipykernel's publishing thread without its TCP port for the output of forked processes: there are none."""

    def __init__(self, socket: "zmq.Socket[Any]", pipe: bool = False, **kwargs: Any) -> None:
        super().__init__(socket, pipe=False, **kwargs)  # type: ignore[no-untyped-call]


class _Stream(OutStream):
    """ipykernel's standard output, which waits for its publishing thread only if something was written.

    A kernel flushes both streams four times a message.
    """

    _written = False

    def write(self, string: str) -> int | None:  # type: ignore[override]
        written = super().write(string)
        self._written = True  # afterwards: whoever flushes in between has nothing to wait for
        return written

    def flush(self) -> None:
        if self._written:
            self._written = False
            super().flush()  # type: ignore[no-untyped-call]


class _NoShellThread:
    """Stands where ipykernel has a thread that passes requests on to the main one, or to subshells: there are none."""

    def __init__(self, context: "zmq.Context[Any]", daemon: bool) -> None:
        self.parent_thread = threading.current_thread()

    def __bool__(self) -> bool:
        return False


class _SysWithoutModules:
    """`sys`, as far as a kernel looks at it while it is made: all but the modules."""

    modules: Mapping[str, types.ModuleType] = types.MappingProxyType({})

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


class _Kernel(IPythonKernel):
    """An `IPythonKernel` that does not look at each imported module: they are what its debugger would step over.

    There is no debugger here, and to touch thousands of modules is to copy the pages of memory that they lie on.
    """

    def __init__(self, **kwargs: Any) -> None:
        vars(ipkernel)["sys"] = _SysWithoutModules()
        try:
            super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        finally:
            vars(ipkernel)["sys"] = sys

    @property
    def _supports_kernel_subshells(self) -> bool:
        return False  # see `_NoShellThread`

    @property
    def _execute_sleep(self) -> float:  # type: ignore[override]
        """Seconds in which what was written below Python comes through; of a call, nothing of that is looked at."""
        parent: Any = self.get_parent("shell")  # type: ignore[no-untyped-call]
        return 0.0 if parent["content"].get("silent") else 0.0005

    def _publish_execute_input(self, code: str, parent: Any, execution_count: int) -> None:
        pass  # the grader knows what it has sent

    def _publish_status(self, status: str, channel: str, parent: Any = None) -> None:
        if status != "busy":  # nobody looks at a light; that all is done, the grader waits for
            super()._publish_status(status, channel, parent)  # type: ignore[no-untyped-call]


class _KernelApp(IPKernelApp):
    """An `IPKernelApp` that is told its connection directly and neither reads nor writes a file for it."""

    kernel_class = _Kernel
    outstream_class = f"{_Stream.__module__}.{_Stream.__qualname__}"

    def parse_command_line(self, argv: Any = None) -> None:
        pass  # it is empty, and to say so takes a parser of fifty options

    def _configure_logging(self) -> None:
        self.log.setLevel(logging.CRITICAL)  # without going through every logger of TensorFlow's

    def init_code(self) -> None:
        # There is none to run first. IPython's own would also note the names of all modules, for `%reset -f in`, and so
        # copy the pages that they lie on.
        shell: Any = self.shell
        shell.user_ns_hidden.update(shell.user_ns)

    def _leave_out(self, *args: Any, **kwargs: Any) -> None:
        pass

    init_connection_file = write_connection_file = init_crash_handler = _leave_out
    load_config_file = _leave_out  # it would be the student's

    def init_heartbeat(self) -> None:
        pass  # three threads that nobody asks: whether a kernel is alive, the warm process tells

    def init_path(self) -> None:
        pass  # not yet: a file of the student's could stand in for a module that is imported on the way

    def open_path(self) -> None:
        """Let the notebook import the files that were handed in with it."""
        super().init_path()  # type: ignore[no-untyped-call]

    def init_control(self, context: "zmq.Context[Any]") -> None:
        # ipykernel connects its debugger to the shell socket's last address. The sandbox forbids connecting to a path,
        # and inside one process no path is needed.
        self.shell_socket.bind("inproc://shell")
        super().init_control(context)  # type: ignore[no-untyped-call]


def _kernel_app(connection: Mapping[str, str | int]) -> Any:
    # A new folder, so that no start-up file of the student's is in it.
    os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="ipython-")
    # Otherwise IPython copies this file from its package, mode and all, which the sandbox may have to refuse.
    startup = Path(os.environ["IPYTHONDIR"], "profile_default", "startup")
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "README").touch()
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    vars(kernelapp).update(IOPubThread=_Publisher, ShellChannelThread=_NoShellThread)
    app: Any = _KernelApp.instance(config=config, log_level=50)
    app.load_connection_info(dict(connection))
    app.initialize([])
    _stay(app)
    for name in ("transform_cell", "should_run_async"):
        _work_out_once(app.shell, name)
    app.kernel.debugpy_stream = None  # there is no debugger: see `proctor.kernels.rehearsal`
    if "matplotlib" in sys.modules:
        app.shell.enable_matplotlib("inline")
    for name in _ours:
        sys.modules.pop(name, None)
    return app


def _stay(app: Any) -> None:
    """Let neither ``exit()`` in a cell nor a shutdown request end the kernel: the cells below it are still to be run.

    Only whoever started the kernel ends it, by a signal. In JupyterLab a student who wrote ``exit()`` just goes on.
    """

    def ask_exit() -> None:
        print("exit() is ignored while this notebook is graded.")

    async def do_shutdown(restart: bool) -> dict[str, Any]:
        return {"status": "ok", "restart": restart}

    app.shell.ask_exit = ask_exit
    app.kernel.do_shutdown = do_shutdown
    for handlers in (app.kernel.shell_handlers, app.kernel.control_handlers):
        handlers.pop("shutdown_request", None)


def _work_out_once(shell: Any, name: str) -> None:
    """Let `shell` keep its answer about a cell until it runs: ipykernel asks for it, and then IPython once more.

    What is asked while a cell runs is worked out anew: the cell may have changed how.
    """
    work_out = getattr(shell, name)
    kept: list[Any] | None = []  # None while a cell runs

    def begin() -> None:
        nonlocal kept
        kept = None

    def end() -> None:
        nonlocal kept
        kept = []

    @functools.wraps(work_out)
    def remembered(*arguments: Any, **options: Any) -> Any:
        if kept is None:
            return work_out(*arguments, **options)
        if kept[:1] != [(arguments, options)]:
            kept[:] = [(arguments, options), work_out(*arguments, **options)]
        return kept[1]

    setattr(shell, name, remembered)
    shell.events.register("pre_execute", begin)
    shell.events.register("post_execute", end)


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
