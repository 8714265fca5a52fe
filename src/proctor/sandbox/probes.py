"""What this machine can enforce, found out by trying: each forbidden thing is attempted without and with the sandbox.

`proctor.sandbox.machine` runs `main` in a Python of its own, which forks one throw-away child for each attempt: the
process that asks may have threads.
"""

import contextlib
import json
import mmap
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

from proctor.sandbox.enforce import enforce
from proctor.sandbox.limits import excess_of
from proctor.sandbox.policy import MB, Policy
from proctor.settings import PROBE

MEMORY, FILE_SIZE, THREADS = 64 * MB, 2 * MB, 64
DONE = "done"


class Protection(NamedTuple):
    """One thing a student's process cannot do here, or can: then `why` says what happened.

    Without an essential protection nothing should be graded; the others make a good sandbox better.
    """

    name: str
    enforced: bool
    why: str
    essential: bool = True


class Outside:
    """Things outside of the sandbox for the attempts to reach for; all made by us, in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = folder / "gradebook.db"
        self.secret.write_text("grades")
        self.secret.chmod(0o666)
        self.named = _listening(socket.AF_UNIX, str(folder / "s"))
        self.abstract = _listening(socket.AF_UNIX, f"\0proctor-{os.getpid()}")
        self.tcp = _listening(socket.AF_INET, ("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.pid, self.uid = os.getpid(), os.getuid()


def _listening(family: int, address: "str | tuple[str, int]") -> socket.socket:
    server = socket.socket(family, socket.SOCK_STREAM)
    server.bind(address)
    server.listen()
    return server


Attempt = Callable[[Outside], None]
ATTEMPTS: dict[str, tuple[Attempt, bool]] = {}


def _attempt(name: str, *, essential: bool = True) -> Callable[[Attempt], Attempt]:
    def register(attempt: Attempt) -> Attempt:
        ATTEMPTS[name] = attempt, essential
        return attempt

    return register


@_attempt("read other files")
def _(outside: Outside) -> None:
    outside.secret.read_text()


@_attempt("write other files")
def _(outside: Outside) -> None:
    with outside.secret.open("a") as file:
        file.write("forged")


@_attempt("make files elsewhere")
def _(outside: Outside) -> None:
    (outside.folder / f"left-{os.getpid()}").touch()


@_attempt("change modes and owners of other files")
def _(outside: Outside) -> None:
    outside.secret.chmod(0o666)


@_attempt("see names, sizes and times of other files", essential=False)
def _(outside: Outside) -> None:
    outside.secret.stat()


@_attempt("reach the network: TCP")
def _(outside: Outside) -> None:
    with socket.socket() as client:
        client.connect(outside.tcp.getsockname())


@_attempt("reach the network: UDP")
def _(outside: Outside) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"hello", outside.udp.getsockname())


@_attempt("connect to other programs' sockets")
def _(outside: Outside) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(outside.named.getsockname())


@_attempt("connect to other programs' abstract sockets")
def _(outside: Outside) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(outside.abstract.getsockname())


@_attempt("signal other processes")
def _(outside: Outside) -> None:
    os.kill(outside.pid, 0)


@_attempt("read other processes in /proc")
def _(outside: Outside) -> None:
    Path(f"/proc/{outside.pid}/stat").read_text()


@_attempt("start processes: fork")
def _(outside: Outside) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


@_attempt("start processes: run a program")
def _(outside: Outside) -> None:
    os.execv(sys.executable, [sys.executable, "-S", "-c", ""])  # noqa: S606 - running a program is the point


@_attempt("read the grader's environment")
def _(outside: Outside) -> None:
    os.environ[PROBE]


@_attempt("take more memory than the limit")
def _(outside: Outside) -> None:
    with mmap.mmap(-1, 2 * MEMORY, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as block:
        block[0] = 1


@_attempt("take shared memory that no limit counts")
def _(outside: Outside) -> None:
    with mmap.mmap(-1, MB) as block:
        block[0] = 1


@_attempt("write files larger than the limit")
def _(outside: Outside) -> None:
    Path("large").write_bytes(bytes(2 * FILE_SIZE))


@_attempt("write more files than the limit in all")
def _(outside: Outside) -> None:
    for number in range(8):
        Path(f"file{number}").write_bytes(bytes(MB))


@_attempt("start threads without end")
def _(outside: Outside) -> None:
    threads = [threading.Thread(target=signal.pause, daemon=True) for _ in range(2 * THREADS)]
    threading.stack_size(64 * 1024)
    for thread in threads:
        thread.start()


@_attempt("compute past the CPU limit")
def _(outside: Outside) -> None:
    if resource.getrlimit(resource.RLIMIT_CPU)[1] == resource.RLIM_INFINITY:
        return
    while True:
        pass


@_attempt("be the user who grades", essential=False)
def _(outside: Outside) -> None:
    if os.getuid() != outside.uid:
        raise PermissionError("a user of its own")


def main() -> None:
    """Try everything and print the protections as JSON; the program that `proctor.sandbox.machine` starts."""
    layers = tuple(sys.argv[2:])
    os.environ[PROBE] = "1"
    with tempfile.TemporaryDirectory(prefix="proctor-probe-") as folder:
        outside = Outside(Path(folder))
        rows = [_try(name, attempt, essential, outside, layers) for name, (attempt, essential) in ATTEMPTS.items()]
    print(json.dumps(rows))


def _try(name: str, attempt: Attempt, essential: bool, outside: Outside, layers: Sequence[str]) -> Protection:
    done, stopped_by = _in_child(None, attempt, outside, layers)
    if not done and essential:
        return Protection(name, True, f"refused here even without the sandbox: {stopped_by}", essential)
    done, stopped_by = _in_child(lambda policy: enforce(policy, outside.pid), attempt, outside, layers)
    return Protection(name, not done, stopped_by, essential)


def _in_child(
    close: Callable[[Policy], object] | None, attempt: Attempt, outside: Outside, layers: Sequence[str]
) -> tuple[bool, str]:
    """Whether `attempt` could be done in a child (in a sandbox, if there is one to `close`), and what stopped it."""
    with tempfile.TemporaryDirectory(prefix="proctor-probe-") as folder:
        policy = _small_policy(Path(folder), tuple(layers))
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.chdir(policy.scratch)
            _be_child(lambda: close(policy) if close else None, lambda: attempt(outside), writing)
        os.close(writing)
        reply = _listen(reading)
        excess = excess_of(policy, pid, hidden=False) if close and reply == DONE else None
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL if reply == DONE else 0)
        _, status = os.waitpid(pid, 0)
    if reply not in ("", DONE):
        return False, reply
    if os.WIFSIGNALED(status) and reply != DONE:
        return False, f"ended by {signal.Signals(os.WTERMSIG(status)).name}"
    return (False, f"ended from outside: {excess.kind}") if excess else (True, "nothing stopped it")


def _small_policy(folder: Path, layers: tuple[str, ...]) -> Policy:
    scratch, sockets = folder / "scratch", folder / "sockets"
    scratch.mkdir()
    sockets.mkdir()
    return Policy(
        str(scratch), str(sockets), layers=layers, allow_missing=True,
        memory=MEMORY, file_size=FILE_SIZE, disk_total=4 * MB, files_total=256, processes=THREADS, cpu_seconds=1,
    )  # fmt: skip


def _listen(reading: int) -> str:
    """What a child says: `DONE` (it then waits), why it was refused, or nothing because it has ended."""
    text = b""
    while text != DONE.encode() and (more := os.read(reading, 4096)):
        text += more
    os.close(reading)
    return text.decode(errors="replace")


def _be_child(close: Callable[[], object], attempt: Callable[[], None], writing: int) -> NoReturn:
    try:
        close()
        attempt()
        os.write(writing, DONE.encode())
        while True:
            signal.pause()
    except BaseException as error:  # noqa: BLE001 - a child must not return into what it was forked from
        os.write(writing, f"{type(error).__name__}: {error}".encode()[:400])
    finally:
        os._exit(1)
