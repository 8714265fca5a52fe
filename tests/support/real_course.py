"""The course of this repository, copied: what a test or a picture does to it stays in the copy."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from course_files import ASSIGNMENT, ROOT

__all__ = ["ASSIGNMENT", "copy"]


def copy(to: Path, students: Sequence[str] | None = None) -> Path:
    """Copy the course without its outputs; of the sample class only `students`, or everybody (None)."""
    to.mkdir(parents=True)
    for folder in ("source", "grader_tests"):
        shutil.copytree(ROOT / folder, to / folder, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for folder in ("submitted", "autograded", "feedback", "reports"):
        (to / folder).mkdir()
    for path in sorted((ROOT / "submitted").glob("sample-*")):
        if students is None or path.name in students:
            shutil.copytree(path, to / "submitted" / path.name)
    for path in ROOT.glob("nbgrader_config.py"):
        shutil.copy(path, to)
    shutil.copytree(ROOT / "tools", to / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    return to
