"""The process that has everything imported and forks one kernel after another.

`proctor.kernels.warm_process` starts it, `proctor.kernels.manager` talks to it. Nobody can come in from outside: it
listens on no path and no port, only on one end of a socket pair it was given, the *channel*. A message on the channel
asks for a kernel and brings, as an open descriptor, one end of a fresh socket pair: that kernel's *lifeline*. Who
asked holds the other.

- On the lifeline go ``{"pid": n}``, ``{"sandbox": [what is missing]}`` or ``{"error": why}``, perhaps ``{"ended":
  why}``, at last ``{"returncode": n}``; back comes ``{"signal": n}``. Only this process, the parent, ever signals, so
  no other process can be hit.
- A lifeline whose other end has closed (its holder was killed) ends its kernel. A channel that nobody holds any more
  ends this process, and with it (PR_SET_PDEATHSIG) every kernel.

It only imports, in one thread; no TensorFlow operation runs here. It is given no path of the course and none of the
instructor's environment: whatever is in this process can be read in every kernel.
"""

import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proctor.sandbox import enforce as sandbox

MAX_MESSAGE = 1 << 16
WATCH_MS = 250
PR_SET_CHILD_SUBREAPER = 36
# What ipykernel, IPython and matplotlib would import at a kernel's start, at its first plot or its first traceback.
USED_BY_KERNELS = (
    *("ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.ipkernel", "ipykernel.debugger", "ipykernel.codeutil"),
    *("IPython.core.completer", "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.display"),
    *("IPython.core.historyapp", "IPython.core.magics", "IPython.core.magics.ast_mod", "IPython.core.magics.execution"),
    *("IPython.core.magics.pylab", "IPython.core.oinspect", "IPython.core.pylabtools", "IPython.extensions.storemagic"),
    *("IPython.utils.wildcard", "matplotlib_inline.backend_inline", "matplotlib_inline.config", "multiprocessing"),
    *("tornado.platform.asyncio", "jedi", "secrets", "stack_data", "executing", "pure_eval", "numpy.random"),
    *("pygments.formatters.terminal256", "pygments.styles.default", "pygments.lexers.python"),
)


@dataclass
class Kernel:
    """One forked kernel as this process sees it."""

    pid: int
    lifeline: socket.socket
    status: int  # read end of a pipe on which the child says how its sandbox went; -1 when it has
    folder: str  # its run folder
    policy: sandbox.Policy
    hidden: bool = False  # whether Linux keeps its files within limits
    ending: bool = False
    abandoned: bool = False


@dataclass
class Request:
    """What a forked child has to become."""

    connection: dict[str, Any]
    policy: sandbox.Policy
    parent: int
    status: int


def main(channel: socket.socket, order: dict[str, Any]) -> None:
    """Import, say so, fork on demand; returns only in a forked child, which then is a kernel and never comes back."""
    request = _Server(channel).serve() if _prepare(channel, order) else None
    if request is not None:
        from proctor.kernels.child import become

        become(request.connection, request.policy, request.parent, request.status)
    if os.environ["MPLCONFIGDIR"] != order["environment"]["MPLCONFIGDIR"]:  # matplotlib could not use ours
        shutil.rmtree(os.environ["MPLCONFIGDIR"], ignore_errors=True)
    os._exit(0)  # not through the exit handlers of a dozen libraries


def _prepare(channel: socket.socket, order: dict[str, Any]) -> bool:
    os.environ.update(order["environment"])
    # Nobody debugs these kernels, and ipykernel's debugger costs 0.3 s. A student's own `import debugpy` still works.
    sys.modules["debugpy"] = sys.modules["debugpy.server"] = None  # type: ignore[assignment]
    try:
        for name in (*order["preload"], *USED_BY_KERNELS, "proctor.kernels.child", "landlockpy"):
            _import(name, needed=name in order["preload"])
        _rehearse()
    except Exception as error:  # noqa: BLE001 - whatever a module raises on import is the instructor's to read
        _tell(channel, {"error": f"cannot preload {name!r}: {type(error).__name__}: {error}"})
        return False
    del sys.modules["debugpy"], sys.modules["debugpy.server"]
    gc.collect()
    gc.freeze()
    _tell(channel, {"ready": os.getpid()})
    return True


def _import(name: str, *, needed: bool) -> None:
    try:
        importlib.import_module(name)
    except ImportError:
        if needed:
            raise


def _rehearse() -> None:
    """Do once what every kernel does, for what it fills in on the way: each page not written to later stays shared."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    if "matplotlib" in sys.modules:
        from matplotlib.backends.registry import backend_registry

        backend_registry.resolve_gui_or_backend("inline")  # type: ignore[no-untyped-call]
        _draw_once()


def _draw_once() -> None:
    """Fill matplotlib's font and style caches: the first plot of a process costs ten times what the next one does."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    axes.scatter([0, 1], [0, 1], c="b", label="a")
    axes.scatter([0, 1], [1, 0], c="r", marker="+", label="b")
    axes.plot([0, 1], [1, 0], "--")
    axes.set_xlabel("x")
    axes.set_title("t")
    axes.legend()
    figure.tight_layout()
    FigureCanvasAgg(figure).print_figure(io.BytesIO(), format="png", bbox_inches="tight")
    # Labels such as 10^-2 go through a parser of formulas, which remembers them.
    axes.set_yscale("log")
    axes.set_ylim(1e-5, 1e3)
    FigureCanvasAgg(figure).print_figure(io.BytesIO(), format="png")


def _tell(to: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # the other side is gone: then nobody wants to know
        to.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)


def _make_run_folder(folder: Path) -> None:
    """In it, ``s`` is for the kernel's sockets, the rest for the one who asks. Others may only pass through."""
    try:
        folder.mkdir(mode=0o711)
        (folder / "s").mkdir(mode=0o700)
    except FileExistsError:  # a kernel that is started again in its old place, while the first is being cleared away
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            raise
    else:
        folder.chmod(0o711)


class _Server:
    """Waits for requests, for signals to pass on, and for children that have ended."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.kernels: dict[int, Kernel] = {}  # by pid
        self.wakeup, self.wake = socket.socketpair()
        self.poller = select.poll()
        for end in (self.wakeup, self.wake):
            end.setblocking(False)
        for source in (channel, self.wakeup):
            self.poller.register(source, select.POLLIN)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self.wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked for the kernels
        # What an unsandboxed kernel leaves behind becomes our child, and can be ended.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def serve(self) -> Request | None:
        """A `Request` in a forked child; None in this process when nobody can ask for kernels any more."""
        look_again = 0.0
        while True:
            for descriptor, _ in self.poller.poll(WATCH_MS if self.kernels else None):
                if descriptor != self.channel.fileno():
                    self._heed(descriptor)
                    continue
                message, descriptors, _, _ = socket.recv_fds(self.channel, MAX_MESSAGE, 8)
                if not message:
                    self._end()
                    return None
                request = self._accept(json.loads(message), descriptors)
                if request is not None:
                    return request
            self._reap()
            if time.monotonic() >= look_again:
                look_again = time.monotonic() + WATCH_MS / 1000
                for kernel in self.kernels.values():
                    self._watch(kernel)

    def _accept(self, order: dict[str, Any], descriptors: list[int]) -> Request | None:
        for descriptor in descriptors[1:]:
            os.close(descriptor)
        lifeline = socket.socket(fileno=descriptors[0])
        try:
            return self._fork(order, lifeline)
        except (OSError, ValueError, TypeError) as error:
            _tell(lifeline, {"error": f"no kernel could be forked: {error}"})
            lifeline.close()
            return None

    def _fork(self, order: dict[str, Any], lifeline: socket.socket) -> Request | None:
        policy = sandbox.Policy.from_json(order["policy"])
        _make_run_folder(Path(order["folder"]))
        reading, writing = os.pipe()
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            os.close(reading)
            os.close(writing)
            raise
        if pid == 0:
            self._become_child(lifeline, keep=writing)
            return Request(order["connection"], policy, parent, writing)
        os.close(writing)
        self.kernels[pid] = Kernel(pid, lifeline, reading, order["folder"], policy)
        self.poller.register(lifeline, select.POLLIN)
        self.poller.register(reading, select.POLLIN)
        _tell(lifeline, {"pid": pid})
        return None

    def _become_child(self, lifeline: socket.socket, keep: int) -> None:
        signal.set_wakeup_fd(-1)
        for end in (lifeline, self.channel, self.wakeup, self.wake, *(k.lifeline for k in self.kernels.values())):
            end.close()
        self.kernels.clear()
        # What this class does not know of: whatever an imported module has opened.
        for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
            if descriptor > 2 and descriptor != keep:
                with contextlib.suppress(OSError):
                    os.close(descriptor)

    def _heed(self, descriptor: int) -> None:
        if descriptor == self.wakeup.fileno():
            with contextlib.suppress(BlockingIOError):
                while self.wakeup.recv(4096):
                    pass
        for kernel in list(self.kernels.values()):
            if descriptor == kernel.status:
                self._pass_on_status(kernel)
            elif descriptor == kernel.lifeline.fileno():
                self._obey(kernel)

    def _pass_on_status(self, kernel: Kernel) -> None:
        text = os.read(kernel.status, MAX_MESSAGE)
        self.poller.unregister(kernel.status)
        os.close(kernel.status)
        kernel.status = -1
        if text:
            # Written before the student's code ran; should that ever change, it must not end this process.
            try:
                status = json.loads(text)
                kernel.hidden = status.pop("hidden", False) is True
            except (ValueError, AttributeError, TypeError):
                status = {"error": "the kernel did not say how its sandbox is"}
            _tell(kernel.lifeline, status)

    def _obey(self, kernel: Kernel) -> None:
        try:
            message = kernel.lifeline.recv(MAX_MESSAGE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if message:
            self._signal(kernel, int(json.loads(message)["signal"]))
        elif not kernel.abandoned:  # the one who asked is gone
            kernel.abandoned = True
            self.poller.unregister(kernel.lifeline)
            self._signal(kernel, signal.SIGKILL)

    def _signal(self, kernel: Kernel, number: int) -> None:
        for send in (os.killpg, os.kill):
            try:
                send(kernel.pid, number)
            except OSError:  # no group of its own yet, or a child in it has become another user
                continue
            return

    def _watch(self, kernel: Kernel) -> None:
        """End a kernel that takes what Linux does not limit. An unsandboxed one is held to the same."""
        running = kernel.status < 0 and not kernel.ending
        try:
            why = sandbox.too_much(kernel.policy, kernel.pid, hidden=kernel.hidden) if running else None
        except Exception as error:  # noqa: BLE001 - then that kernel ends, not this process
            why = f"its files cannot be counted ({type(error).__name__})"
        if why:
            _tell(kernel.lifeline, {"ended": why})
            kernel.ending = True
            self._signal(kernel, signal.SIGKILL)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.kernels:
                self._forget(self.kernels.pop(pid), os.waitstatus_to_exitcode(status))
            self._end_strays()

    def _forget(self, kernel: Kernel, returncode: int) -> None:
        if kernel.status >= 0:
            self._pass_on_status(kernel)
        _tell(kernel.lifeline, {"returncode": returncode})
        if not kernel.abandoned:
            self.poller.unregister(kernel.lifeline)
        kernel.lifeline.close()
        shutil.rmtree(kernel.folder, ignore_errors=True)  # here, because the one who asked may die at any moment

    def _end_strays(self) -> None:
        """End what an ended kernel left running; a sandboxed one cannot have left anything."""
        with contextlib.suppress(OSError):
            for pid in map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()):
                if pid not in self.kernels:
                    os.kill(pid, signal.SIGKILL)

    def _end(self) -> None:
        for kernel in self.kernels.values():
            kernel.abandoned = True
            self._signal(kernel, signal.SIGKILL)
        while self.kernels:
            pid, _ = os.waitpid(-1, 0)
            if pid in self.kernels:
                kernel = self.kernels.pop(pid)
                shutil.rmtree(kernel.folder, ignore_errors=True)
            self._end_strays()
