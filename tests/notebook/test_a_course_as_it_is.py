"""A course of somebody else's, nbgrader's own quick start: three lines bring proctor to it, and the scores stay."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import nbgrader
import pytest
from commands import export, run
from nbgrader.api import Gradebook

from proctor.course import folders as courses

SHIPPED = Path(nbgrader.__file__).parent / "docs/source/user_guide"
THREE_LINES = """
import proctor
proctor.configure(c)
c.ProctoredExecute.preload = ["numpy"]
"""
LOOKS = "def squares(n):\n    return list(range(n))\n"
HIDDEN_TESTS = '''
import pytest
from reference import squares

@pytest.mark.points(1)
def test_squares(submission, rng):
    """`squares` works for any number."""
    for n in rng.integers(1, 20, size=5).tolist():
        assert submission.squares(n) == squares(n), "Does it begin with 1?"
'''


def quick_start(root: Path) -> Path:
    """The course that ``nbgrader quickstart`` makes, with four hand-ins: two of nbgrader's, one right, one untouched."""
    assert run(root.parent, "nbgrader", "quickstart", root.name).returncode == 0
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(f"c.Exchange.root = {str(root.parent / 'exchange')!r}\n")
    (root.parent / "exchange").mkdir(mode=0o777)
    assert run(root, "nbgrader", "generate_assignment", "ps1").returncode == 0
    hand_ins = {"right": root / "source/ps1", "untouched": root / "release/ps1"}
    hand_ins |= {name: SHIPPED / "submitted" / name / "ps1" for name in ("bitdiddle", "hacker")}
    for student, folder in hand_ins.items():
        shutil.copytree(folder, root / "submitted" / student / "ps1")
    return root


def gradebook(root: Path) -> dict[tuple[str, str, str], tuple[object, ...]]:
    """All that a gradebook has of the submissions, cell by cell."""
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        return {
            (submission.student_id, notebook.name, grade.name): (
                grade.auto_score, grade.manual_score, grade.max_score, bool(grade.needs_manual_grade))
            for submission in book.assignment_submissions("ps1")
            for notebook in submission.notebooks
            for grade in notebook.grades
        }  # fmt: skip


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    root = quick_start(tmp_path_factory.mktemp("stock") / "course")
    command = [sys.executable, "-m", "nbgrader", "autograde", "ps1"]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return root


@pytest.fixture(scope="module")
def ours(stock, tmp_path_factory):
    """The same course with three more lines, before anything is graded."""
    root = tmp_path_factory.mktemp("ours") / "course"
    shutil.copytree(stock, root, ignore=shutil.ignore_patterns("autograded", "gradebook.db"))
    with (root / "nbgrader_config.py").open("a") as config:
        config.write(THREE_LINES)
    assert run(root, "nbgrader", "generate_assignment", "ps1", "--force").returncode == 0
    return root, run(root, "proctor", "grade")


def test_the_gradebook_is_that_of_stock_nbgrader(stock, ours):
    """Right, untouched and nbgrader's two students: every cell, its points, and what waits for a person."""
    root, done = ours
    assert done.returncode == 0, done.stderr
    assert gradebook(root) == gradebook(stock)


def test_formgrader_lists_the_same(stock, ours):
    """What formgrader shows of the submissions: scores by kind, and who waits for a person."""
    listed = [
        {
            one["student"]: {
                key: value for key, value in one.items() if key not in ("id", "timestamp", "display_timestamp")
            }
            for one in courses.load(root).api().get_submissions("ps1")
        }
        for root in (stock, ours[0])
    ]
    assert listed[0] == listed[1]
    assert {"right", "untouched"} < set(listed[0])


def test_feedback_and_export_follow(ours, tmp_path):
    """A page for each notebook, which says that a person has still to grade, and the grades as a file."""
    root, _ = ours
    assert run(root, "nbgrader", "generate_feedback", "ps1").returncode == 0
    page = (root / "feedback/right/ps1/problem2.html").read_text()
    assert "Not final:</strong> a person has still to grade a part of it." in page
    assert "Not final" not in (root / "feedback/untouched/ps1/problem2.html").read_text()
    rows = export(root, "proctor.ExerciseExport", tmp_path / "grades.csv")
    assert {"right", "untouched", "bitdiddle", "hacker"} <= {cell for row in rows for cell in row}


def test_a_cell_at_a_time_moves_out_of_the_notebook(ours):
    """One test cell gets hidden tests of ours, the others stay: who only looks right loses that cell's point."""
    root, _ = ours
    tests = root / "grader_tests/ps1"
    tests.mkdir(parents=True)
    (tests / "test_squares.py").write_text(HIDDEN_TESTS)
    (tests / "reference.py").write_text("def squares(n):\n    return [i * i for i in range(1, n + 1)]\n")
    path = root / "source/ps1/problem1.ipynb"
    nb = nbformat.read(path, as_version=4)
    cell = next(cell for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "correct_squares")
    line = 'import proctor; proctor.run_hidden_tests("ps1/test_squares.py")'
    cell.source = f"assert squares(1) == [1]\n### BEGIN HIDDEN TESTS\n{line}\n### END HIDDEN TESTS"
    nbformat.write(nb, path)
    before = gradebook(root)
    assert run(root, "nbgrader", "generate_assignment", "ps1", "--force").returncode == 0
    done = run(root, "proctor", "grade", "--student", "right", "--student", "untouched")
    assert done.returncode == 0, done.stderr
    assert gradebook(root) == before
