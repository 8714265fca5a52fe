"""A Dask cluster and a PostgreSQL server of a test's own: real processes on loopback, ended by the test."""

import contextlib
import functools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from waiting import until

SECRET = "canary4711swordfish"
USER, PASSWORD, DATABASE = "grader", f"p@ss%/: {SECRET}", "gradebook"  # as odd as people's passwords are
DASK = [sys.executable, "-m", "dask"]


@dataclass
class Cluster:
    """A scheduler's address, its workers' processes, and what they log."""

    address: str
    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def logs(self) -> str:
        """All that scheduler and workers have said."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def add_worker(self, *options: str, prefix: Sequence[str] = (), **environment: str) -> subprocess.Popen[bytes]:
        """Start one more worker; `environment` is added to this process's, `prefix` stands before the command."""
        number = len(self.workers)
        command = [*DASK, "worker", self.address, "--no-nanny", "--no-dashboard", "--name", f"w{number}"]
        threads = [] if "--nthreads" in options else ["--nthreads", "1"]
        place = ["--local-directory", str(self.folder / f"w{number}")]
        worker = _start([*prefix, *command, *threads, *place, *options], self.folder / f"w{number}.log", environment)
        self.workers.append(worker)
        return worker

    def add_workers(self, count: int, **environment: str) -> list[int]:
        """Start `count` workers with one command, as docs/scale.md says; return their processes.

        Dask starts a new worker for one that is lost.
        """
        before = len(self.workers)
        command = [*DASK, "worker", self.address, "--no-dashboard", "--nthreads", "1", "--nworkers", str(count)]
        place = ["--local-directory", str(self.folder / "several")]
        several = _start([*command, *place], self.folder / "several.log", environment)
        self.workers.append(several)
        self.wait_for_workers(before + count)
        return [pid for pid in children(several.pid) if "spawn_main" in command_of(pid)]

    def wait_for_workers(self, count: int) -> None:
        """Return when that many have been known to the scheduler."""
        assert until(lambda: self.logs.count("Registered to:") >= count, 60), self.logs


@contextlib.contextmanager
def cluster(folder: Path, workers: int = 0, **environment: str) -> Iterator[Cluster]:
    """Run a scheduler and some workers, each a process of one thread, as docs/scale.md says."""
    folder.mkdir(parents=True, exist_ok=True)
    about = folder / "scheduler.json"
    command = [
        *DASK,
        "scheduler",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--no-dashboard",
        "--scheduler-file",
        str(about),
    ]
    scheduler = _start(command, folder / "scheduler.log", {})
    found = Cluster("", folder, scheduler)
    try:
        assert until(lambda: about.is_file() and about.read_text().endswith("}"), 60), found.logs
        found.address = json.loads(about.read_text())["address"]
        for _ in range(workers):
            found.add_worker(**environment)
        found.wait_for_workers(workers)
        yield found
    finally:
        for process in (*found.workers, scheduler):
            end(process)


def _start(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # Whoever reads a worker's log reads all of it, for example to look for a password.
    with log.open("wb") as file:
        env = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=env)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end, then make it."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def children(pid: int) -> list[int]:
    """Every descendant of a process that runs now."""
    found, left = [], [pid]
    while left:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{left[0]}/task").iterdir():
                left += [int(child) for child in (task / "children").read_text().split()]
        found.append(left.pop(0))
    return found[1:]


def command_of(pid: int) -> str:
    """A process's command line; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@functools.cache
def postgres_programs() -> Path | None:
    """Folder of PostgreSQL's own programs; Debian does not put them on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(p) for p in [shutil.which("initdb")] if p]
    return found[-1].parent if found else None


class Postgres:
    """A server with one database, in a temporary folder, run as an ordinary user."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        programs = postgres_programs()
        assert programs is not None
        self._programs = programs
        # PostgreSQL refuses root; subprocess can become somebody else.
        nobody = pwd.getpwnam("nobody")
        self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
        if self._as:
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        auth = ["-U", USER, "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync", "-E", "UTF8", "--locale=C"]
        self._run(programs / "initdb", "-D", folder / "data", *auth)
        password.unlink()
        self._server: subprocess.Popen[bytes] | None = None
        self._template = "template1"

    @property
    def log(self) -> str:
        """All that it has logged; with who waited for a lock for more than a second."""
        return (self.folder / "log").read_text()

    @property
    def pid(self) -> int:
        """The server's first process."""
        assert self._server is not None
        return self._server.pid

    def url(self, password: str = PASSWORD, port: int | None = None) -> str:
        """What goes into PROCTOR_DB_URL."""
        who = f"{USER}:{urllib.parse.quote(password, safe='')}" if password else USER
        return f"postgresql+psycopg://{who}@127.0.0.1:{port or self.port}/{DATABASE}"

    def start(self) -> None:
        """Run the server; returns when it answers."""
        options = [f"-cport={self.port}", "-clisten_addresses=127.0.0.1", "-cunix_socket_directories=", "-cfsync=off"]
        options.append("-clog_lock_waits=on")
        command = [str(self._programs / "postgres"), "-D", str(self.folder / "data"), *options]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, **self._as)
        check = [self._programs / "pg_isready", "-h", "127.0.0.1", "-p", str(self.port)]
        assert until(lambda: not subprocess.run(check, capture_output=True, check=False).returncode, 60)

    def stop(self) -> None:
        """End the server and every connection at once."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(30)
            finally:
                self._server.kill()
                self._server.wait()
                self._server = None

    def fresh(self) -> str:
        """Make the database anew, as it was when `keep` was called; return its URL."""
        self.psql("postgres", f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        self.psql("postgres", f"CREATE DATABASE {DATABASE} TEMPLATE {self._template}")
        return self.url()

    def keep(self) -> None:
        """Have `fresh` make copies of the database as it is now."""
        self._template = f"{DATABASE}_kept"
        self.psql("postgres", f"CREATE DATABASE {self._template} TEMPLATE {DATABASE}")

    def psql(self, database: str, statement: str) -> str:
        """Run a statement with PostgreSQL's own client; return what it prints."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database]
        return self._run(self._programs / "psql", *where, "-X", "-q", "-A", "-t", "-c", statement)

    def _run(self, *command: object) -> str:
        env = {**os.environ, "PGPASSWORD": PASSWORD}
        texts = [str(word) for word in command]
        done = subprocess.run(texts, cwd="/", env=env, capture_output=True, text=True, check=False, **self._as)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a server in a temporary folder that its user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="proctor-postgres-"))
    try:
        server = Postgres(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
