"""Commands as people type them, and what they leave in the gradebook."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import tiny_course


def run(course: Path, *command: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in the folder of a course."""
    return subprocess.run(command, cwd=course, capture_output=True, text=True, timeout=timeout, check=False)


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
