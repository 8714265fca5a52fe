"""The hidden part of a test cell: where it begins and ends, and which file of hidden tests its one line names.

Asked by `proctor.notebook` when a cell is graded, and by the plug-ins that show or restore a test cell. A hidden part
without our line is nbgrader's own kind: tests that run in the notebook.
"""

import ast
import re
from pathlib import Path

from proctor.errors import CourseError

BEGIN, END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
FUNCTION = "run_hidden_tests"
OURS = re.compile(r"\bproctor\.run\w*")  # with a slip in the rest of it, too
MAX_RUN_LINE = 1000


def split(source: str) -> tuple[str, str | None]:
    """Split a test cell into what is not hidden and the hidden test file that it names (None: an ordinary cell)."""
    visible, hidden = _parts(source)
    return visible, _named(hidden) if len(hidden) < MAX_RUN_LINE else None


def same_text(one: str, other: str) -> bool:
    """Whether two cells say the same, blank lines and the ends of lines aside."""
    return _lines(one) == _lines(other)


def _lines(source: str) -> list[str]:
    return [line.rstrip() for line in source.splitlines() if line.strip()]


def is_near_miss(source: str) -> bool:
    """Whether a cell speaks of our line in a way that nothing is run by: an author's slip, never to pass in silence."""
    visible, hidden = _parts(source)
    speaks = FUNCTION in hidden or OURS.search(hidden) is not None
    return FUNCTION in visible or (speaks and (len(hidden) >= MAX_RUN_LINE or _named(hidden) is None))


def _parts(source: str) -> tuple[str, str]:
    # Without a regular expression: students write such texts, too, and one would take the square of their length.
    first_line = source.find("\n", source.find(BEGIN)) if BEGIN in source else -1
    end = source.find(END, first_line) if first_line >= 0 else -1
    if end < 0:
        return source, ""
    start, last_line = source.rfind("\n", 0, source.find(BEGIN)) + 1, source.find("\n", end)
    rest = source[last_line:] if last_line >= 0 else ""
    return source[:start] + rest, source[first_line + 1 : source.rfind("\n", 0, end) + 1]


def _named(hidden: str) -> str | None:
    """The file that ``import proctor; proctor.run_hidden_tests("...")`` names, on one line or on two."""
    try:
        body = ast.parse(hidden.strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if len(body) != 2 or ast.unparse(body[0]) != "import proctor" or not isinstance(body[1], ast.Expr):
        return None
    call = body[1].value
    if not isinstance(call, ast.Call) or ast.unparse(call.func) != f"proctor.{FUNCTION}" or call.keywords:
        return None
    (argument,) = call.args if len(call.args) == 1 else (None,)
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def find(grader_tests: Path, path: str) -> Path:
    """Return the test file that a cell names, below `grader_tests`. Raises `CourseError` if it is not there."""
    root = grader_tests.resolve()
    file = (root / path).resolve()
    if root not in file.parents or not file.is_file():
        raise CourseError(f"{path}: no such hidden test file in {grader_tests}")
    return file
