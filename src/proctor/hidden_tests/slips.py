"""What an author has overlooked, as far as it can be seen without running anything.

Called by ``proctor grade`` before it begins, and by ``proctor check --both-ends``: a slip in a source notebook or in
the hidden tests would cost a whole class points.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proctor.errors import CourseError
from proctor.hidden_tests import run_line


def slips(notebook: Path, grader_tests: Path) -> list[str]:
    """Say what is wrong with the test cells of a source notebook and with the files that they name."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{notebook.name}: not a notebook"]
    found: list[str] = []
    for number, cell in enumerate(cells, 1):
        if cell.get("cell_type") == "code":
            found += _of_cell(cell, number, grader_tests)
    return found


def _of_cell(cell: dict[str, Any], number: int, grader_tests: Path) -> Iterator[str]:
    about = cell.get("metadata", {}).get("nbgrader", {})
    name = str(about.get("grade_id") or f"number {number}")
    source = "".join(cell.get("source", ""))
    graded = bool(about.get("grade")) and not about.get("solution")
    path = run_line.split(source)[1]
    if run_line.is_near_miss(source):
        yield (
            f"cell {name}: its hidden part is not the line that runs hidden tests, and nothing else; "
            "docs/authors.md has it to copy"
        )
    elif path is not None and not graded:
        yield f"cell {name}: names hidden tests, but gives no points: make it Autograder tests, with points"
    elif path is not None:
        try:
            yield from (f"cell {name}: {slip}" for slip in _of_file(run_line.find(grader_tests, path), about))
        except CourseError as error:
            yield f"cell {name}: {error}"


def _of_file(file: Path, about: dict[str, Any]) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        yield f"{file.name} cannot be read: {error}"
        return
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    if not tests:
        yield f"{file.name} has no tests"
    for test in tests:
        if not ast.get_docstring(test):
            yield f"{file.name}: {test.name} has no docstring, which is the line that a student reads"
    points = [_points(test) for test in tests]
    if tests and None not in points and sum(filter(None, points)) != float(about.get("points", 0)):
        total = sum(filter(None, points))
        yield f"{file.name}: its tests add up to {total:g} points, the cell has {float(about.get('points', 0)):g}"


def _points(test: ast.FunctionDef) -> float | None:
    """The points of a test if they stand there as a number; parameters and markers of another form may say more."""
    found = [mark for mark in test.decorator_list if isinstance(mark, ast.Call) and mark.args]
    numbers = [ast.unparse(mark.args[0]) for mark in found if ast.unparse(mark.func) == "pytest.mark.points"]
    if len(test.decorator_list) != 1 or len(numbers) != 1:
        return None
    try:
        return float(numbers[0])
    except ValueError:
        return None


def without_hint(notebook: Path, grader_tests: Path) -> list[str]:
    """Say which asserts of hidden tests have no message: a student who fails one reads nothing of where to look."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    paths = [run_line.split("".join(cell["source"]))[1] for cell in cells if cell["cell_type"] == "code"]
    files = [run_line.find(grader_tests, path) for path in paths if path is not None]
    return [
        f"{file.name}: {test.name} has an assert without a message, which is the hint"
        for file in files
        for test in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_")
        if any(isinstance(node, ast.Assert) and node.msg is None for node in ast.walk(test))
    ]
