"""An IPython kernel that does not do what nobody here asks of it: no debugger, no subshells, no lights, no waiting."""

import sys
import threading
import types
from collections.abc import Mapping
from typing import Any

import zmq
from ipykernel import ipkernel
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel


class Publisher(IOPubThread):
    """ipykernel's publishing thread without its TCP port for the output of forked processes: there are none."""

    def __init__(self, socket: "zmq.Socket[Any]", pipe: bool = False, **kwargs: Any) -> None:
        super().__init__(socket, pipe=False, **kwargs)  # type: ignore[no-untyped-call]


class Stream(OutStream):
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


class NoShellThread:
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


class Kernel(IPythonKernel):
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
        return False  # see `NoShellThread`

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
