"""Jupyter kernels that are forked, ready and sandboxed, from one process that has everything imported.

`WarmKernelManager` is a blocking `jupyter_client.KernelManager`. `proctor.autograde.execute` starts one a student:

    manager = start_kernel_for(Policy(scratch), ["tensorflow", "matplotlib.pyplot"])
    client = manager.client()

and `proctor.notebook.student_kernel` ends it with ``manager.shutdown_kernel(now=True)``. One warm process serves a
whole class: `proctor.executors.pool` starts it once and hands its `WarmProcess.fd` and `WarmProcess.environment` to
every worker process. Without that, each Python process that asks for a kernel starts a warm process of its own, and
stops it at exit.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Instance, Int, List, Unicode, default

from proctor.kernels.provisioner import WarmProvisioner
from proctor.sandbox import machine
from proctor.sandbox.limits import Excess
from proctor.sandbox.policy import LAYERS, Policy, environment_of


class WarmKernelManager(KernelManager):
    """A blocking kernel manager whose kernels are warm and sandboxed, whatever kernel a notebook names.

    Works in a plain program and inside a running asyncio loop (JupyterLab's formgrader). After `start_kernel`,
    `missing` lists the sandbox's layers that could not be put in place. Where kernels cannot be forked
    (`proctor.sandbox.machine`), they are ordinary ones: slower, and without a sandbox.
    """

    policy = Instance(Policy, allow_none=True)
    preload = List(Unicode(), help="modules that are imported before kernels are forked").tag(config=True)
    max_message = Int(16 << 20, help="bytes; a kernel that sends a larger message loses its connection").tag(
        config=True
    )
    max_waiting = Int(200, help="messages that wait to be read on one channel").tag(config=True)
    autorestart = False

    @property
    def kernel_spec(self) -> KernelSpec:
        """Always this Python: the kernel a student's notebook names may not exist here."""
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python", interrupt_mode="signal")

    @property
    def missing(self) -> Sequence[str]:
        """Layers of the sandbox that are not in place, each with the reason."""
        return self.provisioner.missing if isinstance(self.provisioner, WarmProvisioner) else LAYERS

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
    def pid(self) -> int | None:
        """The kernel's process, while there is one."""
        pid: int | None = getattr(self.provisioner, "pid", None)
        return pid

    @property
    def excess(self) -> Excess | None:
        """The limit for which the kernel was ended, if it was."""
        return self.provisioner.excess if isinstance(self.provisioner, WarmProvisioner) else None

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        if self.provisioner is None:
            self.provisioner = self._warm() if machine.can_fork() else self._ordinary()
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
