"""The sample class from end to end, as `make grade` does it, in a copy of the course."""

import csv
import fnmatch
import shutil
import sys
from pathlib import Path

import pytest
from commands import run
from course_files import ASSIGNMENT, ROOT, SECRETS, statements
from nbgrader.api import Gradebook

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

CLASS = tomllib.loads((ROOT / "tools/sample_class.toml").read_text())
EXPECTED = {student: entry["expected"] for student, entry in CLASS.items() if "expected" in entry}


def points(course: Path) -> dict[str, dict[str, float]]:
    """Points by student and test cell as the gradebook has them."""
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {
            submission.student_id: {
                grade.name: grade.score for notebook in submission.notebooks for grade in notebook.grades
            }
            for submission in gradebook.assignment_submissions(ASSIGNMENT)
        }


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course, released and graded."""
    course = tmp_path_factory.mktemp("sample") / "course"
    course.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", course)
    for folder in ("source", "grader_tests"):
        shutil.copytree(ROOT / folder, course / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for command in (
        [sys.executable, str(ROOT / "tools/make_sample_class.py"), "--submitted", str(course / "submitted")],
        ["nbgrader", "generate_assignment", ASSIGNMENT, "--create", "--force"],
        ["proctor", "grade"],
        ["nbgrader", "generate_feedback", ASSIGNMENT],
        ["nbgrader", "export", "--to", "grades.csv"],
    ):
        done = run(course, *command)
        assert done.returncode == 0, done.stderr
    return course


@pytest.mark.parametrize("student", EXPECTED)
def test_points_are_as_expected(course, student):
    """Each sample student gets what the table beside the script says."""
    assert points(course)[student] == EXPECTED[student]


def test_everybody_is_in_the_table(course):
    """The table of expectations and the folder of submissions name the same students."""
    assert set(EXPECTED) == {path.name for path in (course / "submitted").iterdir() if path.is_dir()}


def test_plain_nbgrader_gives_the_same(course):
    """`nbgrader autograde --force`, for some of the class, comes to the same points in every cell."""
    before, some = points(course), "sample-[a-d]*"
    done = run(course, "nbgrader", "autograde", ASSIGNMENT, "--student", some, "--force", timeout=600)
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("| INFO] Autograding") == len(fnmatch.filter(EXPECTED, some)) > 3
    assert points(course) == before


def test_everybody_has_a_feedback_page_without_secrets(course):
    """No page shows a line of a hidden test, of a scenario or of a recogniser, nor a traceback of the grader."""
    hidden = {line for path in SECRETS if path.name != "reference.py" for line in statements(path)}
    for student in EXPECTED:
        page = (course / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text()
        assert not [line for line in hidden if line in page]
        assert "hidden_tests.py" not in page


def test_a_page_of_an_untouched_notebook_shows_no_reference(course):
    """Where the student wrote nothing, nothing of the reference solution is to be seen."""
    page = (course / "feedback/sample-june" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text()
    assert not [line for line in statements(ROOT / "grader_tests" / ASSIGNMENT / "reference.py") if line in page]


def test_the_export_has_the_totals(course):
    """Nbgrader's CSV has every student's total."""
    with (course / "grades.csv").open() as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == {student: sum(cells.values()) for student, cells in points(course).items()}
