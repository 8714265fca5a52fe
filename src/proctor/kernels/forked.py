"""One forked kernel as its parent sees it: fork it, pass on what it reports, watch its limits, signal it, bury it.

The parent is the warm process; `proctor.kernels.warm` keeps one `ForkedKernel` for each child. Only the parent ever
signals, so that no other process can be hit.
"""

import contextlib
import os
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from proctor.kernels.messages import (
    MAX_DETAIL,
    BadMessage,
    Ended,
    Forked,
    Message,
    NotStarted,
    Returned,
    SandboxClosed,
    Signal,
    StartKernel,
    receive,
    send,
)
from proctor.sandbox.limits import Excess, excess_of, process_status
from proctor.sandbox.scratch import remove


@dataclass
class Child:
    """What a forked child has to become, and where it reports how its sandbox went."""

    request: StartKernel
    parent: int
    report: socket.socket


class ForkedKernel:
    """One child; `lifeline` is the end of its requester, `report` its own until it has reported."""

    def __init__(self, pid: int, request: StartKernel, lifeline: socket.socket, report: socket.socket) -> None:
        self.pid = pid
        self.lifeline = lifeline
        self.report: socket.socket | None = report
        self.abandoned = False  # whether its requester is gone
        self._request = request
        self._ending = False
        self._hidden = False  # whether Linux keeps its files within limits
        tell(lifeline, Forked(pid))

    def pass_on_report(self) -> None:
        """Tell the requester how the sandbox went."""
        if self.report is None:
            return
        with contextlib.closing(self.report):
            # Written before the student's code ran; should that ever change, it must not end this process.
            try:
                outcome: Message | None = receive(self.report, SandboxClosed, NotStarted)
            except (BadMessage, OSError) as error:
                outcome = NotStarted("failed", f"its report cannot be read: {error}"[:MAX_DETAIL])
        self.report = None
        if outcome is not None:
            self._hidden = isinstance(outcome, SandboxClosed) and outcome.hidden
            _close_to_others(Path(self._request.folder), self.pid)
            tell(self.lifeline, outcome)

    def obey(self) -> None:
        """Do what the requester says: send a signal; end the kernel if the requester has closed its end."""
        try:
            order = receive(self.lifeline, Signal)
        except BlockingIOError:
            return
        except (OSError, BadMessage):
            order = None
        if order is not None:
            self.send_signal(order.number)
        elif not self.abandoned:
            self.abandoned = True
            self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Signal the kernel's process group, or the kernel itself."""
        for deliver in (os.killpg, os.kill):
            try:
                deliver(self.pid, number)
            except OSError:  # no group of its own yet, or a child in it has become another user
                continue
            return

    def watch(self) -> None:
        """End a kernel that takes what Linux does not limit. An unsandboxed one is held to the same."""
        if self.report is not None or self._ending:
            return
        try:
            excess = excess_of(self._request.policy, self.pid, hidden=self._hidden)
        except Exception:  # noqa: BLE001 - then that kernel ends, not this process
            excess = Excess("uncountable")
        if excess is not None:
            tell(self.lifeline, Ended(excess))
            self._ending = True
            self.send_signal(signal.SIGKILL)

    def bury(self, returncode: int) -> None:
        """Say that it has ended, and remove its run folder: here, because its requester may die at any moment."""
        self.pass_on_report()
        tell(self.lifeline, Returned(returncode))
        self.lifeline.close()
        remove(Path(self._request.folder))

    def close(self) -> None:
        """Let go of its sockets, in another child that has inherited them."""
        self.lifeline.close()
        if self.report is not None:
            self.report.close()


def fork(request: StartKernel, lifeline: socket.socket) -> "ForkedKernel | Child":
    """Fork one kernel: a `ForkedKernel` in the parent, a `Child` in the child. Raises ``OSError``."""
    _make_run_folder(Path(request.folder))
    parent = os.getpid()
    reading, writing = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        pid = os.fork()
    except OSError:
        reading.close()
        writing.close()
        raise
    if pid == 0:
        reading.close()
        lifeline.close()
        return Child(request, parent, writing)
    writing.close()
    lifeline.setblocking(False)
    return ForkedKernel(pid, request, lifeline, reading)


def tell(requester: socket.socket, message: Message) -> None:
    """Send a message that nobody has to be there for, and never wait."""
    with contextlib.suppress(OSError):
        send(requester, message, flags=socket.MSG_DONTWAIT)


def close_descriptors(keep: int) -> None:
    """Close everything but 0 to 2 and `keep` in a child, whatever an imported module has opened."""
    for descriptor in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if descriptor > 2 and descriptor != keep:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def _make_run_folder(folder: Path) -> None:
    """In it, ``s`` is for the kernel's sockets, the rest for the requester. Others may only pass through."""
    try:
        folder.mkdir(mode=0o711)
        (folder / "s").mkdir(mode=0o700)
    except FileExistsError:  # a kernel that is started again in its old place, while the first is being cleared away
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            raise
    else:
        folder.chmod(0o711)


def _close_to_others(folder: Path, pid: int) -> None:
    """Let nobody into a run folder but its owner and the kernel, whatever rights that gives to what is in it."""
    with contextlib.suppress(OSError, StopIteration, ValueError, IndexError):
        group = int(process_status("Gid", pid).split()[1])
        if group != os.getegid():
            os.chown(folder, -1, group)
        folder.chmod(0o710 if group != os.getegid() else 0o700)
