"""Feedback pages of a class in one zip file, named as Moodle or Canvas takes them back for each submission.

Both tell whose a file is by the name that the submission had in their own download: Moodle by the folder or the
beginning ``Full name_123456_assignsubmission_file_`` (*Upload multiple feedback files in a zip*), Canvas by the numbers
of the student and of the submitted file, ``name_12345_67890_notebook`` (*Upload submissions*). So a page is called like
the notebook it is about, but for the ending. What the names were is remembered by ``nbgrader zip_collect``.
"""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal, get_args

from proctor.course.folders import Course
from proctor.records import gradebook, graded
from proctor.results import collected
from proctor.results.collected import Collected

Platform = Literal["moodle", "canvas"]
PLATFORMS: tuple[str, ...] = get_args(Platform)
Why = Literal["not graded", "no page", "old page", "not collected", "another platform"]


@dataclass
class Packed:
    """What is in the zip file: pages by the platform's names; and who is not in it, or not for good, and why."""

    pages: dict[str, Path] = field(default_factory=dict)
    without: dict[str, Why] = field(default_factory=dict)
    to_review: list[str] = field(default_factory=list)


def pack(course: Course, assignment: str, platform: Platform, to: Path) -> Packed:
    """Write the zip file `to` for everybody who has handed in, in one step; a class without a page makes no file."""
    packed = Packed()
    names = collected.read(course.state, assignment)
    records = gradebook.read(course, assignment)
    for student in course.students(assignment):
        hand_in = records.submissions.get(student)
        if hand_in is None or not hand_in.graded:
            packed.without[student] = "not graded"
            continue
        found = _pages(course, assignment, student, hand_in.score, names.get(student), platform)
        if isinstance(found, str):
            packed.without[student] = found
            continue
        packed.pages |= found
        if hand_in.needs_review:
            packed.to_review.append(student)
    if packed.pages:
        _write(packed.pages, to)
    return packed


def _pages(
    course: Course, assignment: str, student: str, score: float, known: Collected | None, platform: Platform
) -> dict[str, Path] | Why:
    """Return a student's pages by the platform's names, or why there are none."""
    state, _ = graded.feedback(course, assignment, student, score)
    pages = sorted(course.folder("feedback", student, assignment).glob("*.html"))
    if not pages:
        return "no page"
    if state == "to write":
        return "old page"
    found: dict[str, Path] = {}
    for page in pages:
        files = known.files if known else {}
        only = "".join(files.values()) if len(files) == 1 == len(pages) else ""  # whatever the student called it
        path = files.get(f"{page.stem}.ipynb", only)
        if not path:
            return "not collected"
        name = str(PurePosixPath(path).with_suffix(".html"))
        if not _is_theirs(name, platform):
            return "another platform"
        found[name] = page
    return found


def _is_theirs(name: str, platform: Platform) -> bool:
    """Whether the platform will know whose this is, which it tells as here."""
    if platform == "moodle":
        return re.match(r"[^_]*_[0-9]+_assignsubmission_file[_/]", name) is not None
    numbers = [part for part in PurePosixPath(name).name.split("_") if re.fullmatch("[0-9]+", part)]
    return "/" not in name and len(numbers) > 1


def _write(pages: Mapping[str, Path], to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    new = to.with_suffix(".new")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as file:
        for name, page in sorted(pages.items()):
            file.write(page, name)
    new.replace(to)
