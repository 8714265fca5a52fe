"""The process that has everything imported and forks one kernel after another.

`proctor.kernels.warm_process` starts it, `proctor.kernels.provisioner` asks it for kernels, with the messages of
`proctor.kernels.messages`. Nobody can come in from outside: it listens on no path and no port, only on one end of a
socket pair it was given, the *channel*. A request on the channel brings, as an open descriptor, one end of a fresh
socket pair: that kernel's *lifeline*, whose other end the requester keeps.

- A lifeline whose other end has closed (its holder was killed) ends its kernel. A channel that nobody holds any more
  ends this process, and with it (PR_SET_PDEATHSIG) every kernel.
- It only imports, in one thread; no TensorFlow operation runs here.
- It is given no path of the course and none of the instructor's environment: whatever is in this process can be read in
  every kernel.
"""

import contextlib
import ctypes
import os
import selectors
import shutil
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from proctor.kernels.forked import Child, ForkedKernel, close_descriptors, fork, tell
from proctor.kernels.messages import MAX_BYTES, BadMessage, NotStarted, Prepare, Ready, StartKernel, decode, receive
from proctor.kernels.rehearsal import rehearse

WATCH_S = 0.25
PR_SET_CHILD_SUBREAPER = 36


def main(channel: socket.socket) -> None:
    """Import, say so, fork on demand; returns only in a forked child, which then is a kernel and never comes back."""
    order = receive(channel, Prepare)
    if order is not None:
        os.environ.update(order.environment)
        failure = rehearse(order.preload)
        tell(channel, failure or Ready())
        child = KernelServer(channel).serve() if failure is None else None
        if child is not None:
            from proctor.kernels.child import become

            become(child)
        if os.environ["MPLCONFIGDIR"] != order.environment["MPLCONFIGDIR"]:  # matplotlib could not use ours
            shutil.rmtree(os.environ["MPLCONFIGDIR"], ignore_errors=True)
    os._exit(0)  # not through the exit handlers of a dozen libraries


class KernelServer:
    """Waits for requests, for word from requesters and children, and for children that have ended."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._kernels: dict[int, ForkedKernel] = {}  # by pid
        self._wakeup, self._wake = socket.socketpair()
        self._selector = selectors.PollSelector()
        self._look_again = 0.0
        for end in (self._wakeup, self._wake):
            end.setblocking(False)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._empty_wakeup)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked for the kernels
        # What an unsandboxed kernel leaves behind becomes our child, and can be ended.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)

    def serve(self) -> Child | None:
        """A `Child` in a forked child; None in this process when nobody can ask for kernels any more."""
        self._selector.register(self._channel, selectors.EVENT_READ, None)
        while True:
            for key, _ in self._selector.select(WATCH_S if self._kernels else None):
                if key.data is not None:
                    key.data()
                    continue
                data, descriptors, _, _ = socket.recv_fds(self._channel, MAX_BYTES + 1, 8)
                if not data:
                    self._end_all()
                    return None
                child = self._answer(data, descriptors)
                if child is not None:
                    return child
            self._reap()
            self._watch()

    def _answer(self, data: bytes, descriptors: list[int]) -> Child | None:
        for descriptor in descriptors[1:]:
            os.close(descriptor)
        if not descriptors:  # nobody to answer to
            return None
        lifeline = socket.socket(fileno=descriptors[0])
        try:
            request = decode(data, StartKernel)
            forked = fork(request, lifeline)
        except (OSError, BadMessage) as error:
            tell(lifeline, NotStarted("no fork", str(error)))
            lifeline.close()
            return None
        if isinstance(forked, Child):
            self._let_go(keep=forked.report.fileno())
            return forked
        self._kernels[forked.pid] = forked
        self._listen(forked.lifeline, lambda: self._obey(forked))
        self._listen(forked.report, lambda: self._pass_on_report(forked))
        return None

    def _listen(self, source: socket.socket | None, heed: Callable[[], None]) -> None:
        if source is not None:
            self._selector.register(source, selectors.EVENT_READ, heed)

    def _let_go(self, keep: int) -> None:
        """In a child: drop what belongs to this process."""
        signal.set_wakeup_fd(-1)
        for end in (self._channel, self._wakeup, self._wake):
            end.close()
        for kernel in self._kernels.values():
            kernel.close()
        close_descriptors(keep)

    def _empty_wakeup(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wakeup.recv(4096):
                pass

    def _pass_on_report(self, kernel: ForkedKernel) -> None:
        if kernel.report is not None:
            self._selector.unregister(kernel.report)
            kernel.pass_on_report()

    def _obey(self, kernel: ForkedKernel) -> None:
        kernel.obey()
        if kernel.abandoned:
            self._selector.unregister(kernel.lifeline)

    def _watch(self) -> None:
        if time.monotonic() >= self._look_again:
            self._look_again = time.monotonic() + WATCH_S
            for kernel in self._kernels.values():
                kernel.watch()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._kernels:
                kernel = self._kernels.pop(pid)
                self._pass_on_report(kernel)
                if not kernel.abandoned:
                    self._selector.unregister(kernel.lifeline)
                kernel.bury(os.waitstatus_to_exitcode(status))
            self._end_strays()

    def _end_strays(self) -> None:
        """End what an ended kernel left running; a sandboxed one cannot have left anything."""
        with contextlib.suppress(OSError):
            for pid in map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()):
                if pid not in self._kernels:
                    os.kill(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        for kernel in self._kernels.values():
            kernel.abandoned = True
            kernel.send_signal(signal.SIGKILL)
        while self._kernels:
            pid, status = os.waitpid(-1, 0)
            if pid in self._kernels:
                self._kernels.pop(pid).bury(os.waitstatus_to_exitcode(status))
            self._end_strays()
