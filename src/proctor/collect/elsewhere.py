"""A notebook under another name, in another folder, zipped or as a script is put where nbgrader looks for it.

Called by ``proctor grade`` before a class is planned, and by `proctor.autograde.misnamed` for nbgrader's own command.
Only what is beyond doubt is taken: the one notebook among a student's files that is the released one. A copy of it is
placed; the file itself stays. Everything here is a student's and may be anything: it is bounded before it is read.
"""

import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from proctor.archives import archive, names
from proctor.archives.limits import Limits
from proctor.course import found
from proctor.course.folders import Course
from proctor.course.found import Found
from proctor.course.submitted_folder import bad_id, unsafe
from proctor.errors import ArchiveRefused
from proctor.repair import match, script
from proctor.repair.read import notebook_of, text_of
from proctor.repair.rebuild import meant
from proctor.repair.released import Released

SCRIPTS = (".py", ".py.txt")
NOTEBOOKS = (".ipynb", ".json", ".txt")  # of whatever name: what is in it decides
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz")
LOOSE = (".ipynb", *ARCHIVES)  # what is somebody's, if it lies between the students' folders
CHECKPOINTS = ".ipynb_checkpoints"
MAX_FILES = 50  # of a student's that are looked into
MAX_DEPTH = 5
MAX_SIZE = 20 << 20
LIMITS = Limits(
    file_size=MAX_SIZE, student_size=4 * MAX_SIZE, student_files=MAX_FILES, total_size=4 * MAX_SIZE, entries=1000
)
HALF = 2


@dataclass(frozen=True)
class Taken:
    """A student's file that was taken for a notebook of the assignment; both as paths from the course's folder on."""

    student: str
    file: str
    placed: str


@dataclass
class Elsewhere:
    """What was taken, and by student the files of those who have handed in nothing that could be taken."""

    taken: list[Taken] = field(default_factory=list)
    unclear: dict[str, list[str]] = field(default_factory=dict)
    nobodys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _File:
    """A file that may be the notebook: where it is, and how it is read."""

    shown: str
    read: Callable[[], bytes]
    own: Path  # the file on disk: the archive, for what is in one


def put_right(course: Course, assignment: str, students: Collection[str] = ()) -> Elsewhere:
    """Place what can be placed, of all students or of some; say what was done and who is left."""
    result = Elsewhere()
    released = {name: _released(course, assignment, name) for name in course.notebooks(assignment)}
    submitted = course.folder("submitted", ".", ".")
    if not submitted.is_dir() or not released or not all(released.values()):
        return result
    with os.scandir(submitted) as scan:
        entries = sorted(scan, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_file(follow_symlinks=False) and not students and entry.name.lower().endswith(LOOSE):
            result.nobodys.append(course.shown(Path(entry.path)))
        elif entry.is_dir(follow_symlinks=False) and (not students or entry.name in students):
            _put_right(course, assignment, entry.name, released, result)
    return result


def _released(course: Course, assignment: str, name: str) -> list[Released]:
    """The notebook as students got it; empty if it is not there or not nbgrader's."""
    try:
        cells = notebook_of((course.folder("release", ".", assignment) / f"{name}.ipynb").read_bytes()).cells
    except (OSError, ValueError):
        return []
    about = [(cell, cell.metadata.get("nbgrader")) for cell in cells]
    return [
        Released(it["grade_id"], cell.cell_type, cell.source, it["solution"], it["locked"], it["grade"])
        for cell, it in about
        if it
    ]


def _put_right(
    course: Course, assignment: str, student: str, released: dict[str, list[Released]], result: Elsewhere
) -> None:
    folder = course.folder("submitted", student, assignment)
    noted = _still_right(course, assignment, student, folder)
    missing = [name for name in released if not (folder / f"{name}.ipynb").is_file()]
    free = {name for name in missing if not (folder / f"{name}.ipynb").exists()}
    if not missing or student in course.left_out() or bad_id(student) or unsafe(folder.parent):
        return
    others = {name for name in course.assignments() if name != assignment}
    near = list(_walk(folder, folder.parent, frozenset())) if folder.is_dir() else []
    far = list(_walk(folder.parent, folder.parent, frozenset({*others, assignment})))
    taken: list[Found] = []
    for name in missing:
        file, content = _only_one(near, released[name])
        if file is None:
            file, content = _only_one(far, released[name])
        if file is not None and name in free:
            placed = folder / f"{name}.ipynb"
            _write(placed, content, file.own)
            taken.append(Found(name, file.shown, found.sum_of(file.own), found.sum_of(placed)))
            result.taken.append(Taken(student, course.shown(folder.parent / file.shown), course.shown(placed)))
    if noted or taken:
        found.note(course, assignment, student, [*noted, *taken])
    shown = [file.shown for file in (*near, *far)]
    is_meant = not others or folder.is_dir() or any(assignment in name for name in shown)
    if len(missing) == len(released) and not taken and is_meant and shown:
        result.unclear[student] = shown


def _still_right(course: Course, assignment: str, student: str, folder: Path) -> list[Found]:
    """What was placed before; a copy of a file that has changed since is taken away again."""
    kept = []
    for one in found.noted(course, assignment, student):
        placed, file = folder / f"{one.notebook}.ipynb", folder.parent / one.file.partition("!")[0]
        if not placed.is_file() or found.sum_of(placed) != one.placed_sum:
            continue
        if file.is_file() and not file.is_symlink() and found.sum_of(file) != one.file_sum:
            placed.unlink()
        else:
            kept.append(one)
    return kept


def _walk(folder: Path, base: Path, without: Collection[str]) -> Iterator[_File]:
    number = 0
    for place, folders, files in os.walk(folder):
        here = Path(place)
        depth = len(here.relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if depth < MAX_DEPTH and (depth or name not in without))
        for name in sorted(files):
            path = here / name
            kind = _kind(name)
            if names.is_junk(f"x/{name}") or not kind or path.stat().st_size > MAX_SIZE or number >= MAX_FILES:
                continue
            number += 1
            shown = path.relative_to(base).as_posix()
            yield _File(shown, path.read_bytes, path)
            if kind == "archive":
                yield from _packed(path, shown)


def _kind(name: str) -> str:
    kinds = (("script", SCRIPTS), ("notebook", NOTEBOOKS), ("archive", ARCHIVES))
    return next((kind for kind, endings in kinds if name.lower().endswith(endings)), "")


def _packed(path: Path, shown: str) -> Iterator[_File]:
    """The notebooks and scripts in an archive; no archive inside of it."""
    try:
        room = LIMITS.total_size
        for entry, open_entry in archive.entries(path, LIMITS):
            wanted = entry.kind == "file" and not names.problem(entry.path) and not names.is_junk(f"x/{entry.path}")
            if not wanted or _kind(entry.path) not in ("notebook", "script") or entry.size > MAX_SIZE:
                continue
            with open_entry() as packed:
                content = packed.read(MAX_SIZE + 1)
            room -= len(content)
            if room < 0:
                return
            if len(content) <= MAX_SIZE:
                yield _File(f"{shown}!{entry.path}", lambda content=content: content, path)  # type: ignore[misc]
    except ArchiveRefused:
        return


def _only_one(files: Sequence[_File], released: list[Released]) -> tuple[_File | None, bytes]:
    """The one file that is the released notebook, and its content; copies and checkpoints of it aside."""
    fitting: dict[bytes, _File] = {}
    for file in files:
        content = _notebook(file, released)
        if content:
            fitting.setdefault(content, file)
    final = {content: file for content, file in fitting.items() if CHECKPOINTS not in file.shown} or fitting
    notebooks = {content: file for content, file in final.items() if _kind(file.shown) == "notebook"} or final
    if len(notebooks) != 1:
        return None, b""
    ((content, file),) = notebooks.items()
    return file, content


def _notebook(file: _File, released: list[Released]) -> bytes:
    """The notebook in a file if it is the released one, else nothing."""
    try:
        content = file.read() if _kind(file.shown) != "archive" else b""
        if _kind(file.shown) == "script":
            given = [one.source for one in released if one.cell_type == "code"]
            cells = script.cells_of(text_of(content), given)
            content = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
        return content if _is_it(notebook_of(content).cells, released) else b""
    except (OSError, ValueError, RecursionError, MemoryError):
        return b""


def _is_it(cells: Sequence[object], released: list[Released]) -> bool:
    """Whether this is beyond doubt the released notebook: half of its cells are there, or all functions."""
    result = meant(cells, released)
    there = sum(name is not None for name in result.ids)
    solutions = [one for one in released if one.functions]
    written = [one for one in solutions if match.candidates(result.cells, one)]
    return not result.is_another and (HALF * there >= len(released) or (bool(solutions) and written == solutions))


def _write(path: Path, content: bytes, like: Path) -> None:
    """Write a file in one step, as old as the one it was made of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_bytes(content)
    state = like.stat()
    os.utime(new, (state.st_atime, state.st_mtime))
    new.replace(path)
