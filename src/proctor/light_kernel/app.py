"""The application around the kernel, ready to run: it is told its connection and touches no file of the student's."""

import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zmq
from ipykernel import kernelapp
from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config

from proctor.light_kernel import shell
from proctor.light_kernel.kernel import Kernel, NoShellThread, Publisher, Stream


class KernelApp(IPKernelApp):
    """An `IPKernelApp` that is told its connection directly and neither reads nor writes a file for it."""

    kernel_class = Kernel
    outstream_class = f"{Stream.__module__}.{Stream.__qualname__}"

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


def kernel_app(connection: Mapping[str, str | int]) -> Any:
    """A kernel that listens on `connection`, once it is started; of its process it asks nothing more."""
    # A new folder, so that no start-up file of the student's is in it.
    os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="ipython-")
    # Otherwise IPython copies this file from its package, mode and all, which the sandbox may have to refuse.
    startup = Path(os.environ["IPYTHONDIR"], "profile_default", "startup")
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "README").touch()
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    vars(kernelapp).update(IOPubThread=Publisher, ShellChannelThread=NoShellThread)
    app: Any = KernelApp.instance(config=config, log_level=50)
    app.load_connection_info(dict(connection))
    app.initialize([])
    _stay(app)
    shell.adjust(app.shell)
    app.kernel.debugpy_stream = None  # there is no debugger: see `proctor.kernels.rehearsal`
    if "matplotlib" in sys.modules:
        app.shell.enable_matplotlib("inline")
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
