"""Commands without their imports: each runs in a fork of a process that has imported nbgrader and proctor already.

It is the command all the same: its entry point in a process, a folder and an environment of its own. Only the second and
a half that Python takes to import nbgrader is spent once for a whole test session. The process ends with its parent.
"""

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PROGRAMS = ("nbgrader", "proctor")
_server: "subprocess.Popen[str] | None" = None


def run(
    folder: Path, command: Sequence[str], timeout: float = 240, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Do what ``subprocess.run`` would, with its output as text; `environment` is added to this process's."""
    with tempfile.TemporaryDirectory() as place:
        said = [str(Path(place) / name) for name in ("stdout", "stderr")]
        request = {
            "command": command,
            "folder": str(folder),
            "said": said,
            "environment": {**os.environ, **environment},
        }
        code = _ask(request, timeout)
        return subprocess.CompletedProcess(command, code, *(Path(path).read_text() for path in said))


def _ask(request: dict[str, object], timeout: float) -> int:
    global _server
    if _server is None:
        _server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        atexit.register(_end)
    assert _server.stdin
    assert _server.stdout
    _server.stdin.write(json.dumps(request) + "\n")
    _server.stdin.flush()
    if not select.select([_server.stdout], [], [], timeout)[0]:
        _end()
        raise subprocess.TimeoutExpired(str(request["command"]), timeout)
    return int(_server.stdout.readline())


def _end() -> None:
    """End the process and whatever it runs."""
    global _server
    if _server is not None:
        os.killpg(_server.pid, signal.SIGKILL)
        _server.communicate()
        _server = None


def _serve() -> None:
    """Fork for each request; a child leaves by the way of every command, through the end of this file."""
    from nbgrader.apps.nbgraderapp import NbGraderApp

    from proctor.cli import main as cli
    from proctor.cli import report as command  # noqa: F401
    from proctor.collect import collector, extractor  # noqa: F401
    from proctor.grading import class_run as grading  # noqa: F401
    from proctor.grading import one_notebook as check  # noqa: F401
    from proctor.plugins import (
        configure,  # noqa: F401
        exports,  # noqa: F401
        feedback,  # noqa: F401
        late,  # noqa: F401
    )
    from proctor.report import write  # noqa: F401

    sys.path.pop(0)  # a command does not find the tests' helpers
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.chdir(request["folder"])
            os.environ.clear()
            os.environ.update(request["environment"])
            sys.argv = request["command"]
            for number, path in enumerate((os.devnull, *request["said"])):
                os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
            sys.exit(cli.main() if sys.argv[0] == "proctor" else NbGraderApp.launch_instance())
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
