"""Commands as people type them, and what they leave in the gradebook."""

import contextlib
import csv
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import quick
import tiny_course
from waiting import until

from proctor.course import folders as courses


def run(course: Path, *command: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in the folder of a course."""
    if command[0] in quick.PROGRAMS:
        return quick.run(course, command, timeout)
    return subprocess.run(command, cwd=course, capture_output=True, text=True, timeout=timeout, check=False)


@dataclass(frozen=True)
class UnderWay:
    """A ``proctor grade`` that has been started, and the file with all that it says."""

    process: subprocess.Popen[bytes]
    file: Path

    @property
    def said(self) -> str:
        """All that it has said until now."""
        return self.file.read_text()

    @property
    def graded(self) -> int:
        """How many submissions it has reported as graded."""
        return self.said.count(": graded")

    def wait_for(self, number: int) -> None:
        """Return when it has reported `number` submissions and is still running."""
        until(lambda: self.graded >= number or self.process.poll() is not None, 120)
        assert self.graded >= number, self.said
        assert self.process.poll() is None, self.said


@contextlib.contextmanager
def grading(course: Path, *options: str, **environment: str) -> Iterator[UnderWay]:
    """Start ``proctor grade``; whatever becomes of the test, the process is ended and waited for."""
    file = course / "said.txt"
    with file.open("wb") as said:
        command = ["proctor", "grade", *options]
        process = subprocess.Popen(command, cwd=course, stdout=said, stderr=said, env={**os.environ, **environment})
    try:
        yield UnderWay(process, file)
    finally:
        process.kill()
        process.wait()


def export(course: Path, exporter: str, to: Path, *options: str, encoding: str = "utf-8") -> list[list[str]]:
    """Run ``nbgrader export`` in this process, which takes a tenth of a second; return the rows of its file."""
    from nbgrader.apps import ExportApp

    app = ExportApp()
    with courses.working_directory(course):
        app.initialize([f"--exporter={exporter}", f"--to={to}", *options])
        app.start()
    with to.open(encoding=encoding, newline="") as file:
        return list(csv.reader(file))


def release(course: Path, assignment: str) -> None:
    """Generate the release as the README says."""
    done = run(course, "nbgrader", "generate_assignment", assignment, "--create", "--force")
    assert done.returncode == 0, done.stderr


def scores(course: Path, names: Sequence[str] = ()) -> dict[str, float]:
    """Points by student as the gradebook has them."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        found = {s.student_id: s.score for s in gradebook.assignment_submissions(tiny_course.ASSIGNMENT)}
    return {name: found[name] for name in names} if names else found
