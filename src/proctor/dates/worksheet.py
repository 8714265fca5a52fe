"""When everybody handed in, from a table: Moodle's grading worksheet, or one with the columns ``student`` and ``time``.

Archives of learning platforms do not say it: the dates in them are mostly those of the download. The table is the
instructor's, and lies beside the archives; `proctor.collect.collector` asks for it.
"""

import re
from datetime import datetime, tzinfo
from pathlib import Path

from proctor.dates import table, written
from proctor.errors import CourseError

# Heads of columns, small; the first group names students, the second times.
STUDENTS = ("student", "student_id", "id", "identifier")
TIMES = ("time", "timestamp", "submitted", "last modified (submission)")


def read(path: Path, zone: tzinfo) -> dict[str, datetime]:
    """Return times in UTC by a student's id, or by Moodle's number; those who handed in nothing have none.

    Times are in `zone` where they do not say otherwise. Raises `CourseError` naming the file and the line.
    """
    lines = table.read(path)
    names = lines[0][1] if lines else []
    who = next((names.index(name) for name in STUDENTS if name in names), None)
    when = next((names.index(name) for name in TIMES if name in names), None)
    if who is None or when is None:
        raise CourseError(
            f"{path}: no table of times, which has the columns student and time, or is Moodle's grading worksheet"
        )
    times: dict[str, datetime] = {}
    for number, line in lines[1:]:
        if len(line) <= max(who, when) or line[when] in ("", "-"):
            continue
        try:
            times[_id(line[who])] = written.platforms_time(line[when], zone)
        except ValueError:
            raise CourseError(
                f"{path}, line {number}: {line[when][:40]!r} cannot be read as a time: write 2026-11-03 09:41 UTC"
            ) from None
    return times


def _id(text: str) -> str:
    """Moodle's worksheet has ``Participant 123456``, in the language of the site; its archive has ``123456``."""
    moodles = re.fullmatch(r"[^\W\d_]+ (\d+)", text)
    return moodles[1] if moodles else text
