"""Jupyter kernels that are forked, ready and sandboxed, from one process that has everything imported.

`WarmKernelManager` is a blocking `jupyter_client.KernelManager`; `WarmProvisioner` makes its kernels come from
`proctor.kernels.warm` and is also registered as the provisioner ``proctor-warm``. Whoever grades starts with

    manager = start_kernel_for(Policy(scratch), ["tensorflow", "matplotlib.pyplot"])
    client = manager.client()

and ends with ``manager.shutdown_kernel(now=True)``. One warm process serves a whole class: start it once with
`start_warm_process` and hand its `WarmProcess.fd` and `WarmProcess.environment` to every worker process. Without that,
each Python process that asks for a kernel starts a warm process of its own, and stops it at exit.

Where there is no fork to rely on (macOS, Windows) kernels start the ordinary way, and `WarmKernelManager.note` says so.
"""

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Float, Instance, Int, List, Unicode, default

from proctor.errors import KernelNotStarted
from proctor.kernels.warm_process import MAX_MESSAGE, WarmProcess, channel_for, start_warm_process
from proctor.sandbox.enforce import Policy, environment_of

PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "hb_port": 4, "control_port": 5}
SUN_PATH = 107  # the longest path of a Unix socket
CAN_FORK = sys.platform == "linux"

_lifelines: "weakref.WeakSet[socket.socket]" = weakref.WeakSet()


def _close_lifelines() -> None:
    # A worker that is forked from this process must not keep this process's kernels alive.
    for lifeline in list(_lifelines):
        lifeline.close()


os.register_at_fork(after_in_child=_close_lifelines) if CAN_FORK else None


class WarmProvisioner(KernelProvisionerBase):
    """Manages one kernel that `proctor.kernels.warm` has forked, over its lifeline.

    `jupyter_client` calls the methods, as `jupyter_client.provisioning.KernelProvisionerBase` says when.
    """

    preload = List(Unicode(), help="modules that are imported before kernels are forked").tag(config=True)
    start_timeout = Float(300.0, help="seconds for a kernel's process to be there, imports included").tag(config=True)

    policy: Policy | None = None
    pid: int | None = None
    missing: Sequence[str] = ()
    ended: str = ""  # why the kernel was ended for breaking a limit, in words for the student
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
                self._hear(self._lifeline.recv(MAX_MESSAGE))
            except BlockingIOError:
                return None
            except OSError:
                self._hear(b"")
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
                self._lifeline.send(json.dumps({"signal": int(signum)}).encode())

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
        info = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in self.connection_info.items()
        }
        order = {"connection": info, "policy": policy.to_json(), "folder": str(self._folder)}
        with channel_for(self.preload) as channel:
            self._returncode, self._lifeline = None, _ask(channel, order)
        _lifelines.add(self._lifeline)
        try:
            await asyncio.wait_for(self._wait_for_sandbox(self._lifeline), self.start_timeout)
        except BaseException as error:
            await self.cleanup()
            if isinstance(error, asyncio.TimeoutError):
                raise KernelNotStarted(f"no kernel after {self.start_timeout:g} s") from None
            raise
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of the kernel (which ends it) and remove its folder."""
        self._let_go()
        if self._folder is not None and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    async def get_provisioner_info(self) -> dict[str, Any]:
        """What `jupyter_client` would store; a kernel cannot outlive the process that holds its lifeline."""
        return {**await super().get_provisioner_info(), "pid": self.pid}

    async def load_provisioner_info(self, provisioner_info: dict[str, Any]) -> None:
        """Restore what `get_provisioner_info` gave; the kernel itself cannot be taken over."""
        await super().load_provisioner_info(provisioner_info)
        self.pid = provisioner_info["pid"]

    async def _wait_for_sandbox(self, lifeline: socket.socket) -> None:
        loop, told = asyncio.get_running_loop(), {}
        while "sandbox" not in told:
            told = self._hear(await loop.sock_recv(lifeline, MAX_MESSAGE))
            if "error" in told or self._returncode is not None:
                raise KernelNotStarted(told.get("error") or f"the kernel ended at its start ({self._returncode})")
        self.missing = tuple(told["sandbox"])

    def _hear(self, message: bytes) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(message) if message else {"returncode": -int(signal.SIGKILL)}
        self.pid = told.get("pid", self.pid)
        self.ended = told.get("ended", self.ended)
        self._returncode = told.get("returncode", self._returncode)
        return told

    def _let_go(self) -> None:
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None


def _ask(channel: socket.socket, order: dict[str, Any]) -> socket.socket:
    """Send an order for a kernel; returns this end of its lifeline."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        try:
            socket.send_fds(channel, [json.dumps(order).encode()], [theirs.fileno()])
        except OSError as error:
            mine.close()
            raise KernelNotStarted(f"the process that kernels come from is gone ({error})") from None
    mine.setblocking(False)
    return mine


def _run_folder() -> Path:
    """A short new name for a kernel's run folder, which the warm process makes and removes: this one may be killed."""
    base = Path(tempfile.gettempdir()).resolve()
    folder = base / f"proctor-{secrets.token_hex(6)}"
    return folder if len(f"{folder}/s/k-5") <= SUN_PATH else Path("/tmp", folder.name)  # noqa: S108


class WarmKernelManager(KernelManager):
    """A blocking kernel manager whose kernels are warm and sandboxed, whatever kernel a notebook names.

    Works in a plain program and inside a running asyncio loop (JupyterLab's formgrader). After `start_kernel`,
    `missing` lists the sandbox's layers that could not be put in place, and `note` is empty or says that the kernel is
    an ordinary one.
    """

    policy = Instance(Policy, allow_none=True)
    preload = List(Unicode(), help="modules that are imported before kernels are forked").tag(config=True)
    max_message = Int(16 << 20, help="bytes; a kernel that sends a larger message loses its connection").tag(
        config=True
    )
    max_waiting = Int(200, help="messages that wait to be read on one channel").tag(config=True)
    autorestart = False
    note = ""

    @property
    def kernel_spec(self) -> KernelSpec:
        """Always this Python: the kernel a student's notebook names may not exist here."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python", interrupt_mode="signal")

    @property
    def missing(self) -> Sequence[str]:
        """Layers of the sandbox that are not in place, in words."""
        return self.provisioner.missing if isinstance(self.provisioner, WarmProvisioner) else ("not sandboxed",)

    @default("context")
    def _bounded_context(self) -> "zmq.Context[Any]":
        self._created_context = True
        context: zmq.Context[Any] = zmq.Context()
        context.setsockopt(zmq.MAXMSGSIZE, self.max_message)
        context.setsockopt(zmq.RCVHWM, self.max_waiting)
        return context

    def client(self, **kwargs: Any) -> BlockingKernelClient:
        """Give a client whose sockets take no message larger than `max_message`; it ends with this manager."""
        return super().client(**{"context": self.context, **kwargs})

    @property
    def ended(self) -> str:
        """Why the kernel was ended for breaking a limit, in words for the student; empty if it was not."""
        return self.provisioner.ended if isinstance(self.provisioner, WarmProvisioner) else ""

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        if self.provisioner is None:
            self.provisioner = self._warm() if CAN_FORK else self._ordinary()
        if isinstance(self.provisioner, LocalProvisioner) and self.policy is not None:
            environment = {**os.environ, **environment_of(self.policy), "PATH": os.environ.get("PATH", "")}
            kwargs = {**kwargs, "cwd": self.policy.scratch, "env": environment}
        command, kwargs = await super()._async_pre_start_kernel(**kwargs)
        return command, kwargs

    def _warm(self) -> WarmProvisioner:
        provisioner = WarmProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)
        provisioner.policy, provisioner.preload = self.policy, list(self.preload)
        return provisioner

    def _ordinary(self) -> LocalProvisioner:
        self.note = f"kernels cannot be forked on {sys.platform}: an ordinary, slower and unsandboxed start"
        return LocalProvisioner(kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self)


def start_kernel_for(policy: Policy, preload: Sequence[str]) -> WarmKernelManager:
    """Start a kernel that runs in ``policy.scratch`` and may touch what `policy` says. Raises `KernelNotStarted`."""
    manager = WarmKernelManager(policy=policy, preload=list(preload))
    try:
        manager.start_kernel()
    except BaseException:
        manager.cleanup_resources()
        raise
    return manager


__all__ = ["WarmKernelManager", "WarmProcess", "WarmProvisioner", "start_kernel_for", "start_warm_process"]
