"""A notebook under another name, in another folder, zipped or as a script is put where nbgrader looks for it.

Called by ``proctor grade`` before a class is planned, and by `hook` for nbgrader's own command.
Only what is beyond doubt is taken: the one notebook among a student's files that is the released one. A copy of it is
placed; the file itself stays. Everything here is a student's and may be anything: it is bounded before it is read.
"""

import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from proctor.course.folders import Course
from proctor.course.submitted_folder import bad_id, unsafe
from proctor.misplaced.files import LOOSE, StudentFile, files_in, kind_of
from proctor.records import memory
from proctor.records.memory import Found
from proctor.repair import match, script
from proctor.repair.read import notebook_of, text_of
from proctor.repair.rebuild import meant
from proctor.repair.released import Released

CHECKPOINTS = ".ipynb_checkpoints"
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
    path = course.folder("release", ".", assignment) / f"{name}.ipynb"
    try:
        return _cells_of(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return []


@lru_cache(maxsize=8)
def _cells_of(path: Path, changed: int) -> list[Released]:
    cells = notebook_of(path.read_bytes()).cells
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
    if student in course.left_out() or bad_id(student) or unsafe(folder.parent):
        return
    missing = [name for name in released if not (folder / f"{name}.ipynb").is_file()]
    free = {name for name in missing if not (folder / f"{name}.ipynb").exists()}
    if not missing:
        return
    others = {name for name in course.assignments() if name != assignment}
    in_place = {folder / f"{name}.ipynb" for name in released}  # each stands for itself, however alike they are
    inside = files_in(folder, folder.parent, frozenset()) if folder.is_dir() else ()
    near = [file for file in inside if file.own not in in_place]
    far = list(files_in(folder.parent, folder.parent, frozenset({*others, assignment})))
    taken: list[Found] = []
    for name in missing:
        file, content = _only_one(near, released[name])
        if file is None:
            file, content = _only_one(far, released[name])
        if file is not None and name in free:
            placed = folder / f"{name}.ipynb"
            _write(placed, content, file.own)
            taken.append(Found(name, file.shown, memory.sum_of(file.own), memory.sum_of(placed)))
            result.taken.append(Taken(student, course.shown(folder.parent / file.shown), course.shown(placed)))
    if noted or taken:
        memory.remember_found(course, assignment, student, [*noted, *taken])
    shown = [file.shown for file in (*near, *far)]
    is_meant = not others or folder.is_dir() or any(assignment in name for name in shown)
    if len(missing) == len(released) and not taken and is_meant and shown:
        result.unclear[student] = shown


def _still_right(course: Course, assignment: str, student: str, folder: Path) -> list[Found]:
    """What was placed before; a copy of a file that has changed since is taken away again."""
    kept = []
    for one in memory.found(course, assignment, student):
        placed, file = folder / f"{one.notebook}.ipynb", folder.parent / one.file.partition("!")[0]
        if not placed.is_file() or memory.sum_of(placed) != one.placed_sum:
            continue
        if file.is_file() and not file.is_symlink() and memory.sum_of(file) != one.file_sum:
            placed.unlink()
        else:
            kept.append(one)
    return kept


def _only_one(files: Sequence[StudentFile], released: list[Released]) -> tuple[StudentFile | None, bytes]:
    """The one file that is the released notebook, and its content; copies and checkpoints of it aside."""
    fitting: dict[bytes, StudentFile] = {}
    for file in files:
        content = _notebook(file, released)
        if content:
            fitting.setdefault(content, file)
    final = {content: file for content, file in fitting.items() if CHECKPOINTS not in file.shown} or fitting
    notebooks = {content: file for content, file in final.items() if kind_of(file.shown) == "notebook"} or final
    if len(notebooks) != 1:
        return None, b""
    ((content, file),) = notebooks.items()
    return file, content


def _notebook(file: StudentFile, released: list[Released]) -> bytes:
    """The notebook in a file if it is the released one, else nothing."""
    try:
        content = file.read() if kind_of(file.shown) != "archive" else b""
        if kind_of(file.shown) == "script":
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
