"""`jupyter_client`'s hold on one warm kernel: have it forked, ask how it is, signal it, let go of it.

`proctor.kernels.manager` makes a `WarmProvisioner` for each kernel; it is also registered with `jupyter_client` as
``proctor-warm``. It talks to `proctor.kernels.warm` over the kernel's lifeline, with `proctor.kernels.messages`.
"""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Float, List, Unicode

from proctor.errors import KernelNotStarted
from proctor.kernels.messages import (
    MAX_BYTES,
    BadMessage,
    Ended,
    Forked,
    Message,
    NotStarted,
    Returned,
    SandboxClosed,
    Signal,
    StartKernel,
    decode,
    receive,
    send,
)
from proctor.kernels.warm_process import channel_for
from proctor.sandbox import machine
from proctor.sandbox.limits import Excess
from proctor.sandbox.policy import Policy
from proctor.sandbox.scratch import remove

PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "hb_port": 4, "control_port": 5}
SUN_PATH = 107  # the longest path of a Unix socket
FROM_WARM_PROCESS = (Forked, SandboxClosed, NotStarted, Ended, Returned)

_lifelines: "weakref.WeakSet[socket.socket]" = weakref.WeakSet()


def _close_lifelines() -> None:
    # A worker that is forked from this process must not keep this process's kernels alive.
    for lifeline in list(_lifelines):
        lifeline.close()


if machine.can_fork():
    os.register_at_fork(after_in_child=_close_lifelines)


class WarmProvisioner(KernelProvisionerBase):
    """Manages one kernel that the warm process has forked, over its lifeline.

    `jupyter_client` calls the methods, as `jupyter_client.provisioning.KernelProvisionerBase` says when.
    """

    preload = List(Unicode(), help="modules that are imported before kernels are forked").tag(config=True)
    start_timeout = Float(300.0, help="seconds for a kernel's process to be there, imports included").tag(config=True)

    policy: Policy | None = None
    pid: int | None = None
    missing: Sequence[str] = ()
    excess: Excess | None = None  # the limit for which the kernel was ended
    _lifeline: socket.socket | None = None
    _returncode: int | None = None
    _folder: Path | None = None

    @property
    def has_process(self) -> bool:
        """Whether a kernel was launched and not yet waited for."""
        return self._lifeline is not None

    async def poll(self) -> int | None:
        """None while the kernel runs, else its return code (negative: the signal that ended it)."""
        while self._lifeline is not None and self._returncode is None:
            try:
                self._heed(receive(self._lifeline, *FROM_WARM_PROCESS))
            except BlockingIOError:
                return None
            except (OSError, BadMessage):
                self._heed(None)
        return self._returncode if self._lifeline is not None else 0

    async def wait(self) -> int | None:
        """Wait until the kernel has ended; afterwards `has_process` is false."""
        while (returncode := await self.poll()) is None:
            await asyncio.sleep(0.01)
        self._let_go()
        return returncode

    async def send_signal(self, signum: int) -> None:
        """Have the warm process signal the kernel; nothing happens if it has ended."""
        if self._lifeline is not None and await self.poll() is None:
            with contextlib.suppress(OSError):
                send(self._lifeline, Signal(int(signum)))

    async def kill(self, restart: bool = False) -> None:
        """End the kernel at once, and give it a moment to be gone: `jupyter_client` looks only ten times a second."""
        await self.send_signal(signal.SIGKILL)
        for _ in range(100):
            if await self.poll() is not None:
                return
            await asyncio.sleep(0.002)

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel to end."""
        await self.send_signal(signal.SIGTERM)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose where the kernel's sockets will be."""
        manager: Any = self.parent
        if self._folder is None:
            self._folder = _run_folder()
        manager.connection_file = str(self._folder / "connection.json")
        manager.transport, manager.ip = "ipc", str(self._folder / "s" / "k")
        for name, number in PORTS.items():
            setattr(manager, name, number)
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Have a kernel forked and wait until its sandbox is closed. Raises `KernelNotStarted`."""
        policy = self.policy or Policy(str(kwargs.get("cwd") or Path.cwd()))
        policy = replace(
            policy, scratch=str(Path(policy.scratch).resolve()), sockets=str(Path(self.connection_info["ip"]).parent)
        )
        info: dict[str, Any] = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in self.connection_info.items()
        }
        request = StartKernel(info, policy, str(self._folder))
        with channel_for(self.preload, policy.environment) as channel:
            self._returncode, self._lifeline = None, _ask(channel, request)
        _lifelines.add(self._lifeline)
        try:
            await asyncio.wait_for(self._wait_for_sandbox(self._lifeline), self.start_timeout)
        except BaseException as error:
            await self.cleanup()
            if isinstance(error, asyncio.TimeoutError):
                raise KernelNotStarted("too slow", seconds=self.start_timeout) from None
            raise
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of the kernel (which ends it) and remove its folder."""
        self._let_go()
        if self._folder is not None and not restart:
            remove(self._folder)
            self._folder = None

    async def get_provisioner_info(self) -> dict[str, Any]:
        """What `jupyter_client` would store; a kernel cannot outlive the process that holds its lifeline."""
        return {**await super().get_provisioner_info(), "pid": self.pid}

    async def load_provisioner_info(self, provisioner_info: dict[str, Any]) -> None:
        """Restore what `get_provisioner_info` gave; the kernel itself cannot be taken over."""
        await super().load_provisioner_info(provisioner_info)
        self.pid = provisioner_info["pid"]

    async def _wait_for_sandbox(self, lifeline: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            data = await loop.sock_recv(lifeline, MAX_BYTES + 1)
            message = decode(data, *FROM_WARM_PROCESS) if data else None
            self._heed(message)
            if isinstance(message, SandboxClosed):
                self.missing = message.missing
                return
            if isinstance(message, NotStarted):
                raise KernelNotStarted(**asdict(message))
            if self._returncode is not None:
                raise KernelNotStarted("ended", f"return code {self._returncode}")

    def _heed(self, message: Message | None) -> None:
        """Remember what the warm process says of the kernel; None: it is gone, and the kernel with it."""
        if message is None:
            self._returncode = -int(signal.SIGKILL)
        elif isinstance(message, Forked):
            self.pid = message.pid
        elif isinstance(message, Ended):
            self.excess = message.excess
        elif isinstance(message, Returned):
            self._returncode = message.returncode

    def _let_go(self) -> None:
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None


def _ask(channel: socket.socket, request: StartKernel) -> socket.socket:
    """Request a kernel; returns this end of its lifeline."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        try:
            send(channel, request, (theirs.fileno(),))
        except OSError as error:
            mine.close()
            raise KernelNotStarted("gone", str(error)) from None
    mine.setblocking(False)
    return mine


def _run_folder() -> Path:
    """A short new name for a kernel's run folder, which the warm process makes and removes: this one may be killed."""
    base = Path(tempfile.gettempdir()).resolve()
    folder = base / f"proctor-{secrets.token_hex(6)}"
    return folder if len(f"{folder}/s/k-5") <= SUN_PATH else Path("/tmp", folder.name)  # noqa: S108
