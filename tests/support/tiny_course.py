"""A course without TensorFlow: one assignment, one exercise (`double`), so that the engine's tests are quick."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[2]
ASSIGNMENT = "tiny"
RIGHT = "def double(x):\n    return 2 * x\n"

HIDDEN_TESTS = '''
import pytest
from reference import double

@pytest.mark.points(2)
def test_values(submission, rng):
    """Twice the number, for any number."""
    for x in rng.integers(1, 1000, size=3).tolist():
        assert submission.double(x) == double(x), "Is it twice the number?"

@pytest.mark.points(1)
def test_arrays(submission, rng):
    """Works on arrays, too."""
    numbers = rng.normal(size=5)
    got = submission.play("double_of", numbers)
    assert getattr(got, "shape", None) == numbers.shape, "The shape stays."
    assert abs(got - double(numbers)).max() < 1e-9, "Each number is doubled."
'''
SCENARIOS = '''
def double_of(notebook, numbers):
    """SECRET OF THE AUTHORS."""
    return notebook["double"](numbers)
'''
HINTS = """
def advice(kind, text, remark=""):
    return "ADVICE: write the body." if kind == "NotImplementedError" else None
"""


def _about(grade_id: str, **more: Any) -> dict[str, Any]:
    base = {"schema_version": 3, "grade": False, "solution": False, "locked": True, "task": False}
    return {"nbgrader": {**base, "grade_id": grade_id, **more}}


def source_notebook() -> Any:
    """The instructor's notebook."""
    hidden = f'import proctor; proctor.run_hidden_tests("{ASSIGNMENT}/test_double.py")'
    cells = [
        new_markdown_cell("# Tiny", metadata=_about("title")),
        new_code_cell("import numpy as np", metadata=_about("imports")),
        new_code_cell(
            'def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION\n    raise NotImplementedError("double")',
            metadata=_about("double", solution=True, locked=False),
        ),
        new_markdown_cell("Check it.", metadata=_about("check")),
        new_code_cell(
            f'assert double(2) == 4, "double(2) should be 4"\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS',
            metadata=_about("test_double", grade=True, points=3),
        ),
    ]
    for cell in cells:
        cell.id = cell.metadata.nbgrader.grade_id.replace("_", "-")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def make(root: Path) -> Path:
    """Write the course into the empty folder `root`."""
    source = root / "source" / ASSIGNMENT
    tests = root / "grader_tests" / ASSIGNMENT
    for folder in (source, tests, root / "submitted"):
        folder.mkdir(parents=True)
    nbformat.write(source_notebook(), source / f"{ASSIGNMENT}.ipynb")
    (tests / "reference.py").write_text("def double(x):\n    return x + x\n")
    (tests / "test_double.py").write_text(HIDDEN_TESTS)
    (tests / "scenarios.py").write_text(SCENARIOS)
    (tests / "hints.py").write_text(HINTS)
    config = (ROOT / "nbgrader_config.py").read_text()
    (root / "nbgrader_config.py").write_text(config + '\nc.ProctoredExecute.preload = ["numpy"]\n')
    return root


def submit(root: Path, student: str, double: str | None = RIGHT, **cells: str) -> Path:
    """Hand in the released notebook with `double` as the solution (None: untouched) and other cells replaced."""
    released = root / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    nb = nbformat.read(released, as_version=4)
    for cell in nb.cells:
        grade_id = cell.metadata.nbgrader.grade_id
        if grade_id == "double" and double is not None:
            cell.source = double
        if grade_id in cells:
            cell.source = cells[grade_id]
    return hand_in(root, student, nb)


def hand_in(root: Path, student: str, nb: Any) -> Path:
    """Write a notebook where nbgrader expects a student's."""
    path = root / "submitted" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)
    return path


GATE = """
import time
from pathlib import Path

_course = Path(__file__).parents[2]
while len(list(_course.glob(".proctor/graded/tiny/*.json"))) >= float((_course / "gate").read_text()):
    time.sleep(0.01)
"""


def hold_after(root: Path, number: float) -> None:
    """Have every submission wait in its hidden tests once `number` have been graded; later calls move the gate.

    So a test can be sure that something is under way. The first call has to come before anything is graded.
    """
    new = root / "gate.new"
    new.write_text(str(number))
    new.replace(root / "gate")
    tests = root / "grader_tests" / ASSIGNMENT / "test_double.py"
    if GATE not in tests.read_text():
        tests.write_text(GATE + tests.read_text())


def let_go(root: Path) -> None:
    """Open the gate for good."""
    hold_after(root, float("inf"))


def copy(root: Path, to: Path) -> Path:
    """A copy that a test may spoil."""
    shutil.copytree(root, to, symlinks=True)
    return to
