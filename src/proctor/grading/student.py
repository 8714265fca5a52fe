"""One job: one student's submission, graded by stock nbgrader's Autograde, in a worker process.

Called by `proctor.grading.class_run` through an executor; takes and returns plain data, so that any executor will do.
What can be said about a submission before nbgrader sees it, such as a missing notebook, is said here, with the file's
name.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.utils import parse_utc

from proctor.course import database
from proctor.course import folders as courses
from proctor.course.folders import Course
from proctor.course.hand_in import strange
from proctor.course.memory import Outcome, fingerprint, forget, remember
from proctor.errors import CourseError, DatabaseGone
from proctor.results import verdict
from proctor.results.verdict import CellVerdict

MAX_NOTEBOOK = 200 << 20
MAX_OBJECTS = (
    1_000_000  # lists and objects of a notebook's JSON, in outputs and in text, too: each takes a kilobyte here
)
MAX_OBJECTS_BESIDE_OUTPUTS = 100_000
MAX_TIMESTAMP = 100
TRIES = 3
PATTERN = set("*?[")


@cache
def _course(root: Path) -> Course:
    return courses.load(root)


def grade_student(root: str, assignment: str, student: str, settings: Mapping[str, Any]) -> Outcome:
    """Grade one submission and remember the outcome. Raises `RunStopped`, but never for what a submission contains.

    `settings` of ``c.ProctoredExecute`` go before those of the course.
    """
    course = _course(Path(root))
    course.config.ProctoredExecute.update(settings)
    forget(course, assignment, student)
    said = problem(course, assignment, student)
    if said:
        return Outcome(student, error=said)
    mark = fingerprint(course, assignment, student)
    outcome = _autograde(course, assignment, student)
    if not outcome.error:
        remember(course, assignment, outcome, mark)
    return outcome


def grade_in(course: Course, assignment: str, student: str) -> Outcome:
    """Grade one submission of a loaded `course`, whatever was remembered of it."""
    said = problem(course, assignment, student)
    return Outcome(student, error=said) if said else _autograde(course, assignment, student)


def problem(course: Course, assignment: str, student: str) -> str:
    """Say what is wrong with the files of a submission, or ``""``; the report asks, too."""
    folder = course.folder("submitted", student, assignment)
    said = strange(folder)
    if set(student) & PATTERN:
        said = "nbgrader takes *, ? and [ in a student's id for a pattern, which means others, too: rename the folder"
    if said:
        return f"{course.shown(folder)}: {said}"
    said = _no_time(folder / "timestamp.txt")
    if said:
        return f"{course.shown(folder / 'timestamp.txt')}: {said}"
    wanted = {path.name for path in course.folder("source", ".", assignment).glob("*.ipynb")}
    for name in sorted(wanted):
        path = folder / name
        if not path.is_file():
            others = sorted(other.name for other in folder.glob("*.ipynb"))
            found = f"found {', '.join(others)}: rename it" if others else "there is no notebook in the folder"
            return f"{course.shown(path)}: missing ({found})"
        said = _unreadable(path)
        if said:
            return f"{course.shown(path)}: {said}"
    return ""


def _no_time(path: Path) -> str:
    """Say so if nbgrader could not read the time of the submission: it then lists nobody's."""
    try:
        if path.exists() and (path.stat().st_size > MAX_TIMESTAMP or not parse_utc(path.read_text("utf-8").strip())):
            raise ValueError
    except (ValueError, OverflowError, OSError):
        return (
            "not a time as nbgrader writes it: correct or remove it, because formgrader lists no submission otherwise"
        )
    return ""


def _unreadable(path: Path) -> str:
    size = path.stat().st_size
    if size == 0:
        return "empty file: ask the student to hand in again"
    if size > MAX_NOTEBOOK:
        return f"{size >> 20} MB is too large (limit {MAX_NOTEBOOK >> 20} MB): clear its outputs"
    text = path.read_bytes()
    if text.count(b"{") + text.count(b"[") > MAX_OBJECTS:
        return "holds too many lists or objects: clear its outputs"
    try:
        data = json.loads(text)
        if _objects({**data, "cells": _without_outputs(data)}) > MAX_OBJECTS_BESIDE_OUTPUTS:
            return "holds too many cells or too much metadata: ask the student to hand in the released notebook again"
        nb = nbformat.reads(json.dumps({**data, "cells": _without_outputs(data)}), as_version=4)
    except RecursionError:
        return "not a notebook (nested too deeply)"
    except Exception as error:  # noqa: BLE001 - a submitted file may be anything
        return f"not a notebook ({type(error).__name__}): ask the student to hand in again"
    for number, cell in enumerate(nb.cells, 1):
        about = cell.metadata.get("nbgrader", {})
        if not isinstance(about, dict) or not isinstance(about.get("grade_id", ""), str):
            return f"cell {number} has nbgrader metadata that nbgrader did not write: ask the student to hand in again"
    return ""


def _objects(data: object) -> int:
    waiting, count = [data], 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, (dict, list)):
            count += 1
            waiting += value.values() if isinstance(value, dict) else value
    return count


def _without_outputs(data: dict[str, list[dict[str, object]]]) -> list[dict[str, object]]:
    """Check the form of the cells, not their outputs: those are thrown away, however many there are."""
    cells = data["cells"] if "cells" in data else data["worksheets"]
    return [{**cell, "outputs": []} if "outputs" in cell else cell for cell in cells]


def _autograde(course: Course, assignment: str, student: str) -> Outcome:
    result = _run_nbgrader(course, assignment, student)
    log = str(result.get("log", ""))[-20_000:]
    if not result["success"]:
        return Outcome(student, error=_reason(course, assignment, student, log, str(result["error"])), log=log)
    cells, flags = _read_graded(course, assignment, student)
    return Outcome(student, cells, flags, log=log)


def _run_nbgrader(course: Course, assignment: str, student: str) -> dict[str, Any]:
    """Run nbgrader's Autograde, from the start when the database came back. Raises `DatabaseGone` if it does not."""
    for _ in range(TRIES):
        with database.watched() as (trouble, said), courses.working_directory(course.root):
            result: dict[str, Any] = course.api().autograde(assignment, student, force=True, create=True)
        result["log"] = said.getvalue() + str(result.get("log", ""))
        if result["success"] or not trouble:
            return result
        database.wait_for(course.db_url(), trouble[-1], float(course.setting("database_timeout", 60.0)))
    raise DatabaseGone(f"the gradebook's database comes and goes: {trouble[-1]}")


def _reason(course: Course, assignment: str, student: str, log: str, error: str) -> str:
    folder = course.shown(course.folder("submitted", student, assignment))
    raised = re.findall(r"^\s*(?:[a-z_]\w*\.)*([A-Z]\w*: .*)$", log, re.MULTILINE)
    logged = re.findall(r"^\[ERROR\] (?!Traceback)(.*)$", log, re.MULTILINE)
    said = [*raised[-1:], *logged[:1], *error.strip().splitlines()[-1:]][0]
    return f"{folder}: could not be graded: {said[:500]}"


def _read_graded(course: Course, assignment: str, student: str) -> tuple[tuple[CellVerdict, ...], tuple[str, ...]]:
    cells: list[CellVerdict] = []
    flags: list[str] = []
    for path in sorted(course.folder("autograded", student, assignment).glob("*.ipynb")):
        nb = nbformat.read(path, as_version=4)
        about = nb.metadata.get("proctor", {})
        flags += [f"restored cell {name}" for name in about.get("restored", [])]
        flags += [about["unprotected"]] if "unprotected" in about else []
        for cell in nb.cells:
            about = cell.metadata.get("nbgrader", {})
            found = verdict.read(cell) if about.get("grade") else None
            if found is not None:
                cells.append(found)
                flags += found.notes
                flags += [f"{found.grade_id}: undecided"] if found.undecided else []
    if not cells:
        raise CourseError(f"{path}: graded, but without a verdict: is ProctoredExecute in nbgrader_config.py?")
    return tuple(cells), tuple(dict.fromkeys(flags))
