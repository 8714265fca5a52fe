"""``extensions.csv``: who may hand in later, beside ``nbgrader_config.py``.

Written by ``proctor extend`` or in a spreadsheet, with one line an extension::

    student,assignment,extension
    ada,custom_training_basics,2 days
    bo,,2027-02-03 23:59 UTC

A line without an assignment is for all of them. Where there is this file, it alone decides: an extension that stands
only in nbgrader's gradebook is taken back when the submission is graded. Without it, the gradebook's extensions count.
"""

import csv
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from proctor.dates import table, written
from proctor.errors import CourseError

NAME = "extensions.csv"
COLUMNS = ("student", "assignment", "extension")


@dataclass(frozen=True)
class Extension:
    """One line: an extension `by` some time, or `until` a time in UTC. `text` is how it was written.

    `more` are columns of the course's own, such as a reason.
    """

    student: str
    assignment: str
    text: str
    by: timedelta | None = None
    until: datetime | None = None
    more: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, student: str, assignment: str, text: str) -> "Extension":
        """Read it. Raises `ValueError` for a text that is neither a time span nor a time."""
        if text.strip()[4:5] == "-":
            return cls(student, assignment, text.strip(), until=written.time(text))
        return cls(student, assignment, text.strip(), by=written.duration(text))

    def beyond(self, duedate: datetime | None) -> timedelta | None:
        """Return the time beyond `duedate`, never less than none; None where there is no due date to extend."""
        if duedate is None:
            return None
        more = self.by if self.until is None else self.until - duedate
        return max(more or timedelta(0), timedelta(0))


def read(root: Path) -> tuple[Extension, ...] | None:
    """Return all extensions of the course at `root`, or None without the file. Raises `CourseError` naming the line."""
    path = root / NAME
    if not path.is_file():
        return None
    state = path.stat()
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1)  # asked for each student
def _read(path: Path, _changed: int, _size: int) -> tuple[Extension, ...]:
    lines = table.read(path)
    head = lines[0][1] if lines else []
    missing = [name for name in COLUMNS if name not in head]
    if missing:
        raise CourseError(f"{path}: its first line has no column {' and '.join(missing)}; it needs {','.join(COLUMNS)}")
    places = [head.index(name) for name in COLUMNS]
    found: dict[tuple[str, str], Extension] = {}
    for number, line in lines[1:]:
        where = f"{path}, line {number}"
        student, assignment, length = (line[place] if place < len(line) else "" for place in places)
        if not student:
            raise CourseError(f"{where}: there is no student")
        if (student, assignment) in found:
            raise CourseError(f"{where}: a second extension of {student} for {assignment or 'all assignments'}")
        try:
            one = Extension.of(student, assignment, length)
        except ValueError as error:
            raise CourseError(f"{where}: {length!r} {error}") from None
        more = tuple((name, text) for name, text in zip(head, line, strict=False) if name not in COLUMNS)
        found[student, assignment] = replace(one, more=more)
    return tuple(found.values())


def of(extensions: Sequence[Extension] | None, student: str, assignment: str) -> Extension | None:
    """Return a student's extension for `assignment`: the one for it, or else the one for all assignments."""
    own = {one.assignment: one for one in extensions or () if one.student == student}
    return own.get(assignment) or own.get("")


def write(root: Path, extensions: Sequence[Extension]) -> Path:
    """Write the file in one step, sorted."""
    path = root / NAME
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\n")
    others = list(dict.fromkeys(name for one in extensions for name, _ in one.more))
    lines.writerow([*COLUMNS, *others])
    for one in sorted(extensions, key=lambda one: (one.student, one.assignment)):
        lines.writerow([one.student, one.assignment, one.text, *(dict(one.more).get(name, "") for name in others)])
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(text.getvalue(), encoding="utf-8")
    new.replace(path)
    return path
