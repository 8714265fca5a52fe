"""The hidden part of a test cell: where it begins and ends, and which file of hidden tests its one line names.

Asked by `proctor.notebook` when a cell is graded, and by the plug-ins that show or restore a test cell.
"""

import re
from pathlib import Path

from proctor.errors import CourseError

BEGIN, END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"


RUN_LINE = re.compile(r"""^\s*import proctor;\s*proctor\.run_hidden_tests\(\s*["'](?P<path>[^"']+)["']\s*\)\s*$""")


MAX_RUN_LINE = 1000


def split(source: str) -> tuple[str, str | None]:
    """Split a test cell into its visible part and the hidden test file that it names (None: an ordinary cell)."""
    # Without a regular expression: students write such texts, too, and one would take the square of their length.
    first_line = source.find("\n", source.find(BEGIN)) if BEGIN in source else -1
    end = source.find(END, first_line) if first_line >= 0 else -1
    if end < 0:
        return source, None
    start, last_line = source.rfind("\n", 0, source.find(BEGIN)) + 1, source.find("\n", end)
    hidden = source[first_line + 1 : source.rfind("\n", 0, end) + 1]
    line = RUN_LINE.match(hidden.strip()) if len(hidden) < MAX_RUN_LINE else None
    rest = source[last_line:] if last_line >= 0 else ""
    return source[:start] + rest, line["path"] if line else None


def find(grader_tests: Path, path: str) -> Path:
    """Return the test file that a cell names, below `grader_tests`. Raises `CourseError` if it is not there."""
    root = grader_tests.resolve()
    file = (root / path).resolve()
    if root not in file.parents or not file.is_file():
        raise CourseError(f"{path}: no such hidden test file in {grader_tests}")
    return file
