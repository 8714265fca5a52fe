"""One student's process, as the grader sees it: run a cell, make a call, end.

A thin, bounded client of a Jupyter kernel. The process at the other end is hostile until shown otherwise, so nothing
that arrives is believed: every message is parsed, its fields are checked and cut, and beyond a limit it is dropped.
(nbclient keeps every output and trusts the messages' form; a class must not depend on either.)
"""

import contextlib
import json
import math
import mmap
import time
from collections.abc import Callable, Iterable
from hmac import compare_digest
from inspect import getsource
from typing import Any

import zmq
from jupyter_client.manager import KernelManager
from jupyter_client.session import DELIM

from proctor.border import probe, wire
from proctor.errors import KernelDied, KernelNotStarted, Nonsense, TooSlow
from proctor.notebook.cell_run import CellRun, output_of
from proctor.notebook.fair_clock import FairClock, line_of, seconds_in_line_of_all

MAX_CELL_TRAFFIC = 32 << 20
A_FLOOD = 4 << 20  # of a cell that is stopped for its time: it is the writing that took it
MAX_GROWTH = 768 << 20  # bytes of this process's memory, from a kernel's start on
LOOK = 0.1  # seconds between two looks at a silent kernel
PROBE = "_proctor_probe"

Starter = Callable[[], KernelManager]


class StudentKernel:
    """A running kernel, from `start` to `end`; after ``died``, ``too slow`` or ``flood`` it is gone already."""

    def __init__(self, manager: KernelManager, until: float = math.inf) -> None:
        self._manager = manager
        self._until = until
        self._client = manager.client()
        self._has_probe = False
        self.in_line = 0.0  # seconds for which it has waited for a processor, known when it has ended
        self._memory = _resident()

    @classmethod
    def start(cls, starter: Starter, until: float = math.inf, timeout: float = 60.0) -> "StudentKernel":
        """Start a kernel with `starter` and wait until it answers. Raises `KernelNotStarted`.

        A busy machine gives no time back after `until` (see `FairClock`).
        """
        try:
            kernel = cls(starter(), until)
        except KernelNotStarted:
            raise
        except Exception as error:
            raise KernelNotStarted("failed", f"{type(error).__name__}: {error}") from error
        try:
            kernel._connect(timeout)
        except BaseException as error:
            kernel.end()
            if isinstance(error, Exception):
                raise KernelNotStarted("no answer", str(error) or type(error).__name__, seconds=timeout) from error
            raise
        return kernel

    def _connect(self, timeout: float) -> None:
        self._client.start_channels(stdin=False, hb=False, control=False)
        deadline = time.monotonic() + timeout
        while not self._answers(0.3):
            if not self._manager.is_alive() or time.monotonic() > deadline:
                raise self._died()

    def _answers(self, seconds: float) -> bool:
        """Whether a question comes back on both channels: a subscription to outputs takes a moment to be in place.

        (jupyter_client's own `wait_for_ready` always waits 0.2 s longer than it has to.)
        """
        request, deadline = self._client.kernel_info(), time.monotonic() + seconds
        channels = {self._client.shell_channel.socket, self._client.iopub_channel.socket}
        silent = set(channels)
        while silent and time.monotonic() < deadline:
            for channel, _ in _poller(channels).poll(max(0, int(1000 * (deadline - time.monotonic())))):
                message = self._receive(channel, request, CellRun())
                if message and (message.get("execution_state") == "idle" or message["msg_type"] == "kernel_info_reply"):
                    silent.discard(channel)
        return not silent

    def is_alive(self) -> bool:
        """Whether the process is still there."""
        return bool(self._manager.is_alive())

    def end(self) -> None:
        """Kill the process and everything it started, and remove what it was given."""
        self.in_line = max(self.in_line, seconds_in_line_of_all(getattr(self._manager, "pid", None)))
        self._client.stop_channels()
        with contextlib.suppress(Exception):  # already gone: nothing left to end
            self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def run_cell(self, code: str, timeout: float) -> CellRun:
        """Execute one cell for at most `timeout` seconds; its outputs are reduced to text and pictures."""
        run = CellRun()
        request = self._client.execute(code, allow_stdin=False, stop_on_error=False)
        reply = self._listen(request, timeout, run)
        if reply is not None and reply.get("status") != "ok":
            run.end = "error"
            # Student code can keep the error from being shown. The reply says it all the same, as nbgrader's own does.
            run.ensure_error(wire.text(str(reply.get("ename"))[:200]), wire.text(str(reply.get("evalue"))[:2000]))
        return run

    def call(self, request_text: str, timeout: float) -> str:
        """Send a request to the probe and return the text of its reply.

        Raises `TooSlow` or `KernelDied` (the process is gone then), or `Nonsense`.
        """
        if not self._has_probe:
            self._client.execute(INSTALL_PROBE, silent=True, allow_stdin=False, stop_on_error=False)
            self._has_probe = True
        run = CellRun()
        asked = {"reply": f"__import__('sys').modules[{PROBE!r}].answer({request_text!r}, globals())"}
        request = self._client.execute("", silent=True, user_expressions=asked, allow_stdin=False, stop_on_error=False)
        reply = self._listen(request, timeout, run)
        if run.end == "too slow":
            raise TooSlow(timeout, run.crowded)
        if run.end in ("died", "flood"):
            raise KernelDied("flood") if run.end == "flood" else self._died()
        try:
            text = reply["user_expressions"]["reply"]["data"][probe.MIME]  # type: ignore[index]
        except (KeyError, TypeError):
            raise Nonsense("no reply") from None
        if not isinstance(text, str) or len(text) > wire.MAX_BYTES:
            raise Nonsense("too large")
        return text

    def _died(self) -> KernelDied:
        """The process has ended, by itself or for going past a limit of the sandbox."""
        excess = getattr(self._manager, "excess", None)
        return KernelDied(excess.kind, excess.limit) if excess else KernelDied()

    def _listen(self, request: str, timeout: float, run: CellRun) -> dict[str, Any] | None:
        """Collect what belongs to `request` until the kernel is idle again; end it when that takes too long."""
        shell, iopub = self._client.shell_channel.socket, self._client.iopub_channel.socket
        poller = _poller((shell, iopub))
        clock = FairClock(timeout, getattr(self._manager, "pid", None), self._until)
        reply, idle = None, False
        while reply is None or not idle:
            left = clock.left()
            ready = dict(poller.poll(int(1000 * min(left, LOOK)))) if left > 0 else {}
            if iopub in ready:
                idle = self._take_output(iopub, request, run) or idle
            if shell in ready:
                reply = self._receive(shell, request, run, "execute_reply") or reply
            # libzmq keeps the parts of a message that never ends where `traffic` does not see them.
            if run.traffic > MAX_CELL_TRAFFIC or _resident() > self._memory + MAX_GROWTH:
                run.end = "flood"
            elif not ready and not self._manager.is_alive():
                run.end = "died"
            elif left <= 0:
                run.end = "flood" if run.traffic > A_FLOOD else "too slow"
                run.crowded = run.end == "too slow" and clock.crowded()
            if run.end not in ("ok", "error"):
                self.end()
                return None
        return reply

    def _take_output(self, iopub: Any, request: str, run: CellRun) -> bool:
        message = self._receive(iopub, request, run)
        if message is None:
            return False
        if message.get("execution_state") == "idle":
            return True
        if message.get("msg_type") == "clear_output":
            run.clear()
        output, size = output_of(message)
        if output is not None:
            run.add(output, size)
            if output.output_type == "error":
                run.end = "error"
        return False

    def _receive(self, socket: Any, request: str, run: CellRun, kind: str | None = None) -> dict[str, Any] | None:
        """Read one message; None unless it is well formed, belongs to `request` and is of `kind`."""
        frames = socket.recv_multipart(copy=False)
        run.traffic += sum(len(frame) for frame in frames)
        if run.traffic > MAX_CELL_TRAFFIC:
            return None
        try:
            # What jupyter_client's Session.deserialize does, without looking for dates in every header.
            received = [frame.bytes for frame in frames]
            signature, *parts = received[received.index(DELIM) + 1 :][:5]
            header, parent, _, content = map(json.loads, parts)
            if parent.get("msg_id") != request or (kind and header["msg_type"] != kind):
                return None
            signed = compare_digest(signature, self._client.session.sign(parts))
            return {**content, "msg_type": header["msg_type"]} if signed else None
        except Exception:  # noqa: BLE001 - bytes from a student's process: anything may be wrong with them
            return None


def _resident() -> int:
    """Bytes of memory that this process has now; 0 where Linux does not say."""
    try:
        return int(line_of("/proc/self/statm").split()[1]) * mmap.PAGESIZE
    except OSError:
        return 0


def _poller(channels: Iterable[Any]) -> zmq.Poller:
    poller = zmq.Poller()
    for channel in channels:
        poller.register(channel, zmq.POLLIN)
    return poller


def _probe_source() -> str:
    wire_source = getsource(wire)
    probe_source = getsource(probe).replace("from proctor.border.wire import", "# from proctor.border.wire import")
    return f"{wire_source}\n{probe_source}"


INSTALL_PROBE = f"""
def _install(source):
    import sys, types
    module = types.ModuleType({PROBE!r})
    exec(compile(source, "<probe>", "exec"), module.__dict__)
    sys.modules[{PROBE!r}] = module
_install({_probe_source()!r})
del _install
"""
