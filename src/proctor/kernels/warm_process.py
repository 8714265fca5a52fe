"""The grader's side of `proctor.kernels.warm`: start the process that kernels come from, find it, end it."""

import atexit
import contextlib
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

import platformdirs

from proctor.errors import KernelNotStarted
from proctor.kernels.messages import NotStarted, Prepare, Ready, receive, send
from proctor.sandbox.policy import Policy, environment_of
from proctor.settings import WARM_FD

READY_TIMEOUT = 300.0
# Where proctor is comes over the channel, not on the command line: kernels can read that in /proc/self/cmdline.
_PROGRAM = """
import socket, sys
channel = socket.socket(fileno=int(sys.argv.pop()))
sys.path[:] = [*filter(None, sys.path), channel.recv(4096).decode()]
from proctor.kernels.warm import main
main(channel)
"""
NOTHING: Mapping[str, str] = MappingProxyType({})
_own: "dict[tuple[int, tuple[str, ...], tuple[tuple[str, str], ...]], WarmProcess]" = {}  # by this process and the rest
_lock = threading.Lock()


class WarmProcess:
    """The process that kernels are forked from, and this end of its channel."""

    def __init__(self, preload: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it; importing goes on in the background until `wait_ready`. Raises ``OSError`` if it cannot start."""
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - read when the process has ended
        command = [sys.executable, "-c", _PROGRAM, str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], env=_first_environment(), cwd="/",
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._errors, start_new_session=True,
            )  # fmt: skip
        self._ready = False
        self.pid = self._process.pid
        self.preload = tuple(preload)
        cache = platformdirs.user_cache_path("proctor") / "matplotlib"
        self._channel.send(str(Path(__file__).parents[2]).encode())
        environment = {**environment, "MPLCONFIGDIR": str(cache), "TMPDIR": tempfile.gettempdir()}
        send(self._channel, Prepare(self.preload, environment))

    @property
    def fd(self) -> int:
        """The channel's descriptor, for ``pass_fds``."""
        return self._channel.fileno()

    @property
    def environment(self) -> dict[str, str]:
        """What a worker process that inherits `fd` must find in its environment to use this process."""
        return {WARM_FD: str(self.fd)}

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> "WarmProcess":
        """Wait until everything is imported. Raises `KernelNotStarted` with the import error's text."""
        if self._ready:
            return self
        if select.select([self._channel], [], [], timeout)[0]:
            answer = receive(self._channel, Ready, NotStarted) or NotStarted("gone", self._last_words())
        else:
            answer = NotStarted("too slow", seconds=timeout)
        if isinstance(answer, NotStarted):
            self.close()
            raise KernelNotStarted(**asdict(answer))
        self._ready = True
        return self

    def channel(self) -> socket.socket:
        """This end of the channel, once the process is ready."""
        return self.wait_ready()._channel

    def close(self) -> None:
        """End the process and every kernel that came from it."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)  # also for those who share it
        self._channel.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def has_ended(self) -> bool:
        """Whether it has gone, by itself or closed."""
        return self._process.poll() is not None

    def _last_words(self) -> str:
        self._process.wait(10)
        self._errors.seek(0)
        return self._errors.read()[-2000:].decode(errors="replace").strip() or f"ended with {self._process.returncode}"


def start_warm_process(preload: Sequence[str], environment: Mapping[str, str] = NOTHING) -> WarmProcess:
    """Start the process that a whole class's kernels come from; it ends with `WarmProcess.close`, or with its users.

    `environment` is what the course sets for its kernels: some packages look at it only when they are imported.
    """
    return WarmProcess(preload, environment)


def _first_environment() -> dict[str, str]:
    """The warm process's environment. Its kernels can read it in /proc/self/environ, so nothing of the instructor's."""
    kept = {
        name: os.environ[name] for name in ("PYTHONPATH", "PYTHONUSERBASE", "LD_LIBRARY_PATH") if name in os.environ
    }
    common = environment_of(Policy(scratch="/dev/null"))
    # HOME=/dev/null: some packages make folders at home when imported, and must not.
    names = ("PATH", "LANG", "HOME", "CUDA_VISIBLE_DEVICES", "TF_CPP_MIN_LOG_LEVEL", "OPENBLAS_NUM_THREADS")
    return {**kept, **{name: common[name] for name in names}}


@contextlib.contextmanager
def channel_for(preload: Sequence[str], environment: Mapping[str, str]) -> Iterator[socket.socket]:
    """Where to ask for kernels: the inherited channel if there is one, else that of a process of our own."""
    inherited = os.environ.get(WARM_FD, "")
    if inherited.isdecimal():
        channel = _inherited(int(inherited))
        try:
            yield channel
        finally:
            channel.detach()  # the descriptor is not ours to close
    else:
        with _lock:
            channel = _own_process(os.getpid(), tuple(preload), environment).channel()
        yield channel


def _own_process(owner: int, preload: tuple[str, ...], environment: Mapping[str, str]) -> WarmProcess:
    kind = owner, preload, tuple(sorted(environment.items()))
    process = _own.get(kind)
    if process is None or process.has_ended():
        process = _own[kind] = WarmProcess(preload, environment)
        atexit.register(_end, owner, process)
    return process


def _end(owner: int, process: WarmProcess) -> None:
    if os.getpid() == owner:  # not in a process forked from that one
        process.close()


def _inherited(descriptor: int) -> socket.socket:
    try:
        channel = socket.socket(fileno=descriptor)
    except OSError as error:
        raise KernelNotStarted("no channel", str(error), f"{WARM_FD}={descriptor}") from None
    if (channel.family, channel.type) != (socket.AF_UNIX, socket.SOCK_SEQPACKET):
        channel.detach()
        raise KernelNotStarted("no channel", "another kind of socket", f"{WARM_FD}={descriptor}")
    return channel
