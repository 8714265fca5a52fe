"""What is wrong with a hand-in, said before nbgrader sees it, with the file's name and what to do.

Asked by `proctor.grading` before a submission is graded, and by the report for those that are not graded.
"""

import json
import re
from pathlib import Path

from dateutil.tz import gettz  # type: ignore[import-untyped]
from nbgrader.utils import parse_utc

from proctor.course.folders import Course
from proctor.course.submitted_folder import ASK, no_submission
from proctor.repair.read import TooMuch, notebook_of, text_of

MAX_NOTEBOOK = 64 << 20
# Lists and objects of a notebook's JSON, in outputs and in text, too: each takes a kilobyte here.
MAX_OBJECTS = 1_000_000
MAX_QUOTES = 4_000_000  # two for each of its texts, which are often lines: each takes a hundred bytes
MAX_OBJECTS_BESIDE_OUTPUTS = 100_000
MAX_TIMESTAMP = 100
MAX_NAMED = 5
NOTHING = "there is no notebook in the folder; ask the student for it"
NOT_SURE = "nothing that is beyond doubt the released notebook; rename the right one"


def refusal(course: Course, assignment: str, student: str) -> str:
    """Say why the files of a submission cannot be graded, and what to do; ``""`` if they can."""
    folder = course.folder("submitted", student, assignment)
    reason = no_submission(folder, student)
    if reason:
        return f"{course.shown(folder)}: {reason}"
    reason = _no_time(folder / "timestamp.txt")
    if reason:
        return f"{course.shown(folder / 'timestamp.txt')}: {reason}"
    wanted = [folder / f"{name}.ipynb" for name in course.notebooks(assignment)]
    there = [path for path in wanted if path.is_file()]
    if wanted and not there:  # of several notebooks, those that are there are graded: nbgrader gives the others 0
        others = sorted(other.name for other in folder.glob("[!.]*"))[:MAX_NAMED]
        found = f"found {', '.join(others)}: {NOT_SURE}" if others else NOTHING
        return f"{course.shown(wanted[0])}: missing ({found})"
    reasons = ((path, unreadable(path)) for path in there)
    return next((f"{course.shown(path)}: {reason}" for path, reason in reasons if reason), "")


def _no_time(path: Path) -> str:
    """Say so if nbgrader could not read the time of the submission, and then lists nobody's, or would misread it."""
    if not path.exists():
        return ""
    try:
        text = path.read_text("utf-8").strip() if path.stat().st_size <= MAX_TIMESTAMP else ""
        if not parse_utc(text):
            raise ValueError
    except (ValueError, OverflowError, OSError):
        return (
            "not a time as nbgrader writes it: correct or remove it, because formgrader lists no submission otherwise"
        )
    zone = text.split(" ")[2:]
    # nbgrader takes +0100 for 100 seconds, and a zone that it does not know for UTC.
    if zone and (re.fullmatch(r"[+-]\d{2}:?\d{2}", zone[0]) or not (_is_number(zone[0]) or gettz(zone[0]))):
        return f"nbgrader would misread the time zone {zone[0][:20]!r}: write the time in UTC"
    return ""


def _is_number(text: str) -> bool:
    return text.removeprefix("-").isdigit()


def unreadable(path: Path) -> str:
    """Say why this file cannot be graded as a notebook, and what to do; ``""`` if it can."""
    size = path.stat().st_size
    if size == 0:
        return f"empty file: {ASK}"
    if size > MAX_NOTEBOOK:
        return f"{size >> 20} MB is too large (limit {MAX_NOTEBOOK >> 20} MB): clear its outputs"
    text = path.read_bytes()
    if text.count(b"{") + text.count(b"[") > MAX_OBJECTS or text.count(b'"') > MAX_QUOTES:
        return "holds too many lists or objects: clear its outputs"
    try:
        data = json.loads(text_of(text))
        if _objects({**data, "cells": _without_outputs(data)}) > MAX_OBJECTS_BESIDE_OUTPUTS:
            return "holds too many cells or too much metadata: ask the student to hand in the released notebook again"
        nb = notebook_of(text)
    except TooMuch as error:
        return f"{error}: ask the student to hand in the released notebook again"
    except RecursionError:
        return f"not a notebook (nested too deeply): {ASK}"
    except json.JSONDecodeError as error:
        return f"not a notebook (broken JSON, line {error.lineno}): {ASK}"
    except Exception:  # noqa: BLE001 - a submitted file may be anything
        return f"not a notebook: {ASK}"
    if not any(cell.source.strip() for cell in nb.cells):
        return f"a notebook with nothing in it: {ASK}"
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
    """Check the form of the cells, not their outputs: of those little or nothing is kept, however many there are."""
    cells = data["cells"] if "cells" in data else data["worksheets"]
    return [{**cell, "outputs": []} if "outputs" in cell else cell for cell in cells]
