"""A small grader of its own that runs attacks in kernels: ``prison.py`` reads one JSON object a line and answers it.

`Prison` starts it, as the user and with the rights that a test asks for, and talks to it. `World` is what the attacks
reach for: files, sockets and a process full of secrets, open to everybody, so that nothing but a sandbox protects them.
"""

import contextlib
import ctypes
import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
SECONDS = 20.0
WON = "won = lambda *ignored: print('GAI' 'NED')"  # in two parts: a traceback shows the source


MARK = secrets.token_bytes(16)


class World:
    """Things outside of the sandbox. `constants` are what an attack knows of them, as Python names."""

    def __init__(self) -> None:
        self.secret = f"CANARY{secrets.token_hex(12)}"
        self.folder = Path(tempfile.mkdtemp(prefix="world-")).resolve()
        self.folder.chmod(0o777)
        self.files = {
            "REFERENCE": self._file(
                "course/grader_tests/tiny/reference.py", f"def double(x): return '{self.secret}'\n"
            ),
            "HIDDEN_TEST": self._file("course/grader_tests/tiny/test_double.py", f"# {self.secret}\n"),
            "GRADEBOOK": self._file("course/gradebook.db", self.secret),
            "NEIGHBOUR": self._file("course/submitted/bo/tiny/tiny.ipynb", self.secret),
            "CONFIG": self._file("course/nbgrader_config.py", f"password = '{self.secret}'\n"),
            "GIT": self._file("course/.git/config", self.secret),
            "BASHRC": self._file("home/.bashrc", self.secret),
            "STARTUP": self._file("home/.ipython/profile_default/startup/00.py", f"# {self.secret}\n"),
        }
        self.shm = Path(tempfile.mkstemp(prefix="world-", dir="/dev/shm")[1])
        self.shm.write_text(self.secret)
        self.shm.chmod(0o666)
        self.heard: list[bytes] = []
        self._stop, self._marked = threading.Event(), threading.Event()
        self._servers = [
            self._listen(socket.AF_INET, ("127.0.0.1", 0)),
            self._listen(socket.AF_UNIX, str(self.folder / "socket")),
            self._listen(socket.AF_UNIX, f"\0{self.folder}"),
        ]
        (self.folder / "socket").chmod(0o777)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        threading.Thread(target=self._hear_udp, daemon=True).start()
        sleep = "import sys, time; x = sys.argv[1] + '!'; time.sleep(1000)"
        self.victim = subprocess.Popen([sys.executable, "-S", "-c", sleep, self.secret], env={"SECRET": self.secret})
        self._before = self._state()

    @property
    def constants(self) -> dict[str, Any]:
        """What the attacks are told."""
        return {
            **{name: str(path) for name, path in self.files.items()},
            "COURSE": str(self.folder / "course"), "HOME": str(self.folder / "home"), "OUTSIDE": str(self.folder),
            "SHM": str(self.shm), "TCP": self._servers[0].getsockname()[1], "UDP": self._udp.getsockname()[1],
            "SOCKET": str(self.folder / "socket"), "VICTIM": self.victim.pid, "GRADER": os.getpid(),
            "HANDLE": _handle(self.files["REFERENCE"]).hex(), "MARK": self.secret[:6], "NUMPY": _numpy(),
        }  # fmt: skip

    def restore(self) -> bool:
        """Put everything back as it was; true if something was different."""
        changed = self._state() != self._before or bool(self._all_heard()) or self.victim.poll() is not None
        self.heard.clear()
        for path in map(Path, set(self._state()) - set(self._before)):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for path, (_, mode, content) in self._before.items():
            if self._state().get(path) != self._before[path] and content is not None:
                Path(path).unlink(missing_ok=True)
                Path(path).write_bytes(content)
                Path(path).chmod(mode & 0o7777)
        self._before = self._state()
        return changed

    def _all_heard(self) -> list[bytes]:
        """What has been heard, once all that was said before this call has been: our own words come after it."""
        self._marked.clear()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(MARK, self._udp.getsockname())
        assert self._marked.wait(30)
        for server in self._servers:
            with socket.socket(server.family, socket.SOCK_STREAM) as last:
                last.connect(server.getsockname())
                assert last.recv(100)
            self.heard.remove(b"connected")
        return self.heard

    def close(self) -> None:
        """Remove it all."""
        self._stop.set()
        for server in (*self._servers, self._udp):
            server.close()
        self.victim.kill()
        self.victim.wait()
        self.shm.unlink()
        shutil.rmtree(self.folder)

    def _file(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in [path.parent, *path.parent.parents]:
            if self.folder in folder.parents:
                folder.chmod(0o777)
        path.write_text(content)
        path.chmod(0o666)
        return path

    def _state(self) -> dict[str, tuple[int, int, bytes | None]]:
        state = {}
        for path in [*self.folder.rglob("*"), self.shm]:
            about = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else None
            state[str(path)] = (int(about.st_mtime) if content is not None else 0, about.st_mode, content)
        return state

    def _listen(self, family: int, address: Any) -> socket.socket:
        server = socket.socket(family, socket.SOCK_STREAM)
        server.bind(address)
        server.listen(64)
        threading.Thread(target=self._serve, args=[server], daemon=True).start()
        return server

    def _serve(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                with server.accept()[0] as client:
                    self.heard.append(b"connected")
                    with contextlib.suppress(OSError):
                        client.sendall(self.secret.encode())

    def _hear_udp(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stop.is_set():
                said = self._udp.recv(100)
                self._marked.set() if said == MARK else self.heard.append(said)


def _handle(path: Path) -> bytes:
    """What ``open_by_handle_at`` opens, whatever folders are in sight; empty where the file system has none."""
    handle, mount = ctypes.create_string_buffer(b"\x80\0\0\0" + bytes(132), 136), ctypes.c_int()
    failed = ctypes.CDLL(None).name_to_handle_at(-100, os.fsencode(path), handle, ctypes.byref(mount), 0)
    return b"" if failed else handle.raw


def _numpy() -> str:
    import numpy

    return str(Path(numpy.__file__).parent)


class Prison:
    """The other end of `main`. `how` is for ``as_user.py``, or empty: this user with all rights."""

    def __init__(self, how: str, world: World) -> None:
        command = [sys.executable, str(TESTS / "support" / "prison.py")]
        if how:
            command[1:1] = [str(TESTS / "sandbox" / "as_user.py"), how]
        environment = {**os.environ, "PROCTOR_TEST_SECRET": world.secret}
        self.world = world
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=world.folder
        )

    def ask(self, code: str, **options: Any) -> dict[str, Any]:
        """Run `code` in a kernel: ``{"end", "out", "why", "seconds"}``. `Jailer.run` has the options."""
        constants = "\n".join(f"{name} = {value!r}" for name, value in self.world.constants.items())
        self._process.stdin.write(json.dumps({"code": f"{constants}\n{WON}\n{code}", **options}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it, with its kernels."""
        self._process.stdin.close()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()


class Jailer:
    """Runs attacks one after another, in one kernel of a kind as long as it lives, or in a fresh one."""

    def __init__(self) -> None:
        self._kernels: dict[bool, Any] = {}
        self._scratch = Path(tempfile.mkdtemp(prefix="jail-"))
        self._scratch.chmod(0o755)
        self.secret = os.environ["PROCTOR_TEST_SECRET"]

    def run(self, code: str, sandboxed: bool = True, fresh: bool = False, files: "dict[str, str] | None" = None,
            seconds: float = SECONDS, **policy: Any) -> dict[str, Any]:  # fmt: skip
        """Run `code` in a kernel with `policy`; `files` were handed in with it. `fresh` kernels end afterwards."""
        fresh = fresh or bool(files) or bool(policy)
        kernel = self._start(sandboxed, files or {}, policy) if fresh else self._kernels.get(sandboxed)
        if kernel is None:
            kernel = self._kernels[sandboxed] = self._start(sandboxed, {}, {})
        began = time.monotonic()
        run = kernel.run_cell(code, seconds)
        out = "".join(
            str(output.get("text") or output.get("data") or output.get("traceback")) for output in run.outputs
        )
        why = kernel._died().why
        if fresh:
            kernel.end()
        elif run.end not in ("ok", "error"):
            del self._kernels[sandboxed]
        return {"end": run.end, "out": out, "why": why, "seconds": time.monotonic() - began}

    def inside(self, code: str) -> dict[str, Any]:
        """Run `code` in this very process, the grader's: what a kernel forked from it would find."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(code, {"__name__": "attack"})
        return {"end": "ok", "out": out.getvalue(), "why": "", "seconds": 0}

    def close(self) -> None:
        for kernel in self._kernels.values():
            kernel.end()
        subprocess.run(["rm", "-rf", str(self._scratch)], check=False)  # however deep it is

    def _start(self, sandboxed: bool, files: dict[str, str], policy: dict[str, Any]) -> Any:
        from proctor.kernels.manager import start_kernel_for
        from proctor.notebook.student_kernel import StudentKernel
        from proctor.sandbox.policy import Policy

        scratch = Path(tempfile.mkdtemp(dir=self._scratch))
        for name, text in files.items():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).write_text(text)
        chosen = Policy(str(scratch), enforced=sandboxed, **policy)
        return StudentKernel.start(lambda: start_kernel_for(chosen, ["numpy"]))


def main() -> None:
    """Answer line by line until the other end has enough."""
    jailer = Jailer()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = jailer.inside(asked["code"]) if asked.pop("inside", False) else jailer.run(**asked)
        except Exception as error:  # noqa: BLE001 - the test decides what it means
            answer = {"end": "not started", "out": "", "why": f"{type(error).__name__}: {error}", "seconds": 0}
        print(json.dumps(answer), flush=True)
    jailer.close()


if __name__ == "__main__":
    main()
