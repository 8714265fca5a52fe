"""Whose a file is, told from where the platform has put it, and from nothing that a student could choose.

A platform writes the student's name or number at the beginning of a path, and behind it the student's own words. The
course's expression is matched from the root of the platform's archive on; what it finds is taken only when the student
stands in the first part of the path, the shortest beginning that names a student names the same one, and nobody else
would be named if more of the path were a name.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from nbgrader.utils import parse_utc

from proctor.archives import names
from proctor.course.submitted_folder import bad_id
from proctor.errors import CourseError
from proctor.results.left_out import Why

SETTING = "c.FileNameCollectorPlugin.named_regexp"
NEEDED = ("student_id", "file_id")
# nbgrader writes them beside a notebook, and believes them.
NBGRADERS = frozenset(("timestamp.txt", "submission_secret.txt"))
CUT = re.compile(r"(?<=[/_.-])")
SOME_FILE, SOME_NAME = "x.ipynb", "/x"


@dataclass(frozen=True)
class Place:
    """A file's student and name. `person` tells two students of one id apart, where the platform has a number for it.

    `upload` grows with each upload of a student; `timestamp` is nbgrader's, `time` the same in UTC. `late`: the
    platform marks it as late (None: it marks nobody).
    """

    student: str
    file: str
    person: str = ""
    upload: tuple[int, ...] = ()
    timestamp: str = ""
    time: datetime | None = None
    late: bool | None = None


@dataclass(frozen=True)
class Unclear:
    """Nothing is taken from the path: why not."""

    why: Why
    detail: str = ""


class Expression:
    """A course's ``named_regexp``, with nbgrader's groups and ``person``, ``upload``, ``attempt``, ``late``."""

    def __init__(self, pattern: str) -> None:
        """Raise `CourseError` for one that cannot name a student and a file."""
        try:
            self._pattern = re.compile(pattern)
        except re.error as error:
            raise CourseError(f"{SETTING} is no regular expression: {error}") from error
        missing = [name for name in NEEDED if name not in self._pattern.groupindex]
        if not pattern or missing:
            no = " and ".join(missing)
            raise CourseError(f"{SETTING} has no group {no}: docs/instructors.md has an expression for each platform")
        self._found: dict[str, tuple[str, int]] = {}

    def owner(self, path: str) -> str:
        """Return whose a path is: a student, or two if it could be either's, or else the first part of the path."""
        student, start = self._first(path)
        other = self._also_named(path, student, start) if student else ""
        return f"{student} or {other}" if other else student or path.partition("/")[0]

    def is_somebodys(self, path: str) -> bool:
        """Whether a file in this place is a student's."""
        return bool(self._first(path)[0])

    def read(self, path: str, released: Collection[str]) -> Place | Unclear:
        """Read a path in the platform's archive; `released` are the assignment's notebooks."""
        match = self._pattern.match(f"/{path}")
        if not match:
            return Unclear("in a folder" if self.is_somebodys(path) else "unmatched")
        groups = {name: value or "" for name, value in match.groupdict().items()}
        student = groups["student_id"]
        if not student:
            return Unclear("no student")
        if "/" in f"/{path}"[1 : match.end("student_id")]:
            return Unclear("misplaced")
        if self._first(path)[0] not in ("", student):
            return Unclear("two readings", student)
        reason = bad_id(student)
        place = Unclear("bad id", reason) if reason else _place(path, groups, released)
        other = self._also_named(path, student, match.start("student_id"))
        if other and isinstance(place, Place) and place.file not in released:
            return Unclear("two readings", other)
        return place

    def _first(self, path: str) -> tuple[str, int]:
        """Return the student whom the shortest beginning of `path` names, and where; ``""`` if none does."""
        if path not in self._found:
            self._found[path] = self._look_for(f"/{path}")
        return self._found[path]

    def _look_for(self, path: str) -> tuple[str, int]:
        for cut in CUT.finditer(path[: names.MAX_PATH]):
            match = self._pattern.match(path[: cut.start()] + SOME_FILE)
            if match and match["student_id"] and match.end("student_id") <= cut.start():
                return str(match["student_id"]), match.start("student_id")
        return "", 0

    def _also_named(self, path: str, student: str, start: int) -> str:
        """Return who else is named if more of the path than what is before `start` is a name, or ``""``.

        In Canvas' archives a student who is called ``x_777`` would be 777: ``x_777_666_67893_tiny.ipynb``.
        """
        place = f"/{path}".removesuffix(PurePosixPath(path).suffix) + PurePosixPath(SOME_FILE).suffix
        for at in range(start, len(place)):
            if place[at] == "/":
                break
            other = self._pattern.match(SOME_NAME + place[at:]) if place[at] == "_" else None
            if other and other.start("student_id") >= len(SOME_NAME) and other["student_id"] != student:
                return str(other["student_id"])
        return ""


def _place(path: str, groups: dict[str, str], released: Collection[str]) -> Place | Unclear:
    file, attempt = _file(path, groups, released)
    parts = file.split("/")
    if names.problem(file) or set(parts) & {"", ".", ".."} or parts[-1].lower() in NBGRADERS:
        return Unclear("bad name")
    timestamp = groups.get("timestamp", "")
    try:
        time = parse_utc(timestamp) if timestamp else None
    except (ValueError, OverflowError, TypeError, AttributeError):
        return Unclear("bad time")
    person = groups.get("person", "")
    if not {"person", "upload", "timestamp"} & set(groups) and "/" in path and file.count("/") < path.count("/"):
        person = path.partition("/")[0]  # a platform has one folder for each student
    upload = (_number(groups.get("upload", "")), _number(attempt))
    late = bool(groups["late"]) if "late" in groups else None
    return Place(groups["student_id"], file, person, upload, timestamp, time, late)


def _file(path: str, groups: dict[str, str], released: Collection[str]) -> tuple[str, str]:
    """Return the name that the file is to have, and which attempt it is: ``-1`` can be part of a released name."""
    suffix, name, attempt = PurePosixPath(path).suffix, groups["file_id"], groups.get("attempt", "")
    if name.endswith(suffix):
        name = name.removesuffix(suffix)
    whole = f"{name}-{attempt}{suffix}"
    if not name:
        return "", ""
    return (whole, "") if attempt and whole in released else (name + suffix, attempt)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
