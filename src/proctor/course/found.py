"""Where a student's notebook was found, if it was not where nbgrader looks: a note for the report, kept on disk.

Written by `proctor.collect.elsewhere`, which puts a copy in the right place; read with the graded notebook.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from proctor.course.folders import Course
from proctor.results.flag import Flag


@dataclass(frozen=True)
class Found:
    """A notebook's name, the file that it was made of (from the student's folder on), and SHA-256 sums of both."""

    notebook: str
    file: str
    file_sum: str
    placed_sum: str


def _path(course: Course, assignment: str, student: str) -> Path:
    short = hashlib.sha256(student.encode()).hexdigest()[:8]
    return course.state / "found" / assignment / f"{quote(student, safe='')[:100]}-{short}.json"


def note(course: Course, assignment: str, student: str, found: list[Found]) -> None:
    """Remember what was found of one student; nothing: forget it."""
    path = _path(course, assignment, student)
    if not found:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in found]), encoding="utf-8")


def noted(course: Course, assignment: str, student: str) -> list[Found]:
    """Return what was found of one student."""
    try:
        return [Found(**one) for one in json.loads(_path(course, assignment, student).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def flags(course: Course, assignment: str, student: str) -> list[Flag]:
    """Say where the notebooks of a submission come from, and which others lie beside them and were not graded."""
    folder = course.folder("submitted", student, assignment)
    names = [f"{name}.ipynb" for name in course.notebooks(assignment)]
    there = {name: sum_of(folder / name) for name in names if (folder / name).is_file()}
    found = [one for one in noted(course, assignment, student) if there.get(f"{one.notebook}.ipynb") == one.placed_sum]
    known = {*there.values(), *(one.file_sum for one in found)}
    others = sorted(path for path in folder.glob("[!.]*.ipynb") if path.name not in names and not path.is_symlink())
    aside = tuple(path.name for path in others if sum_of(path) not in known)
    return [
        *(Flag("found elsewhere", one.notebook, names=(one.file,)) for one in found),
        *([Flag("left aside", names=aside)] if aside else []),
    ]


def sum_of(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
