"""``proctor new``: what it makes works at once, and it never writes over anything."""

import json

import nbformat
import pytest
import tiny_course
from commands import run

from proctor.cli import main as cli
from proctor.course import folders as courses
from proctor.grading import class_run as grading
from proctor.render import words

ANSWERS = {
    "right": "import numpy as np\ncelsius = lambda f: np.multiply(f - 32, 5 / 9)\n",
    "wrong": "def celsius(fahrenheit):\n    return fahrenheit * 5 / 9 - 32\n",
    "strange": "def celsius(fahrenheit):\n    return [['degrees'], {'of': None}]\n",
    "untouched": None,
}
POINTS = {"right": 3, "wrong": 0, "strange": 0, "untouched": 0}


@pytest.fixture(scope="module")
def course(released_tiny_course, tmp_path_factory):
    """A course with a second, new assignment, released."""
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("new") / "course")
    made = run(course, "proctor", "new", "warm_up")
    assert made.returncode == 0, made.stderr
    released = run(course, "nbgrader", "generate_assignment", "warm_up", "--create", "--force")
    assert released.returncode == 0, released.stderr
    return course


@pytest.fixture(scope="module")
def graded(course):
    """A right answer in a style of its own, two wrong ones and an untouched notebook, graded: outcomes by student."""
    for student, answer in ANSWERS.items():
        nb = nbformat.read(course / "release/warm_up/warm_up.ipynb", as_version=4)
        for cell in nb.cells:
            if answer and cell.metadata.get("nbgrader", {}).get("grade_id") == "celsius":
                cell.source = answer
        path = course / "submitted" / student / "warm_up" / "warm_up.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(nb, path)
    done = run(course, "proctor", "grade", "warm_up")
    assert done.returncode == 0, done.stderr
    return {outcome.student: outcome for outcome in grading.plan(courses.load(course), "warm_up").skipped}


def test_the_source_passes_at_once(course):
    """The instructor's notebook gets full points, as it was made."""
    done = run(course, "proctor", "check", "source/warm_up/warm_up.ipynb", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["points"] == 3


def test_the_source_runs_by_hand(course):
    """Outside of grading, ``nbgrader validate`` runs the same hidden tests in place."""
    done = run(course, "nbgrader", "validate", "source/warm_up/warm_up.ipynb")
    assert "Success!" in done.stdout


def test_a_right_and_a_wrong_answer_get_what_they_deserve(graded):
    """Values count, not style; doing nothing earns nothing; nothing is left undecided."""
    assert {student: outcome.points for student, outcome in graded.items()} == POINTS
    assert not any(cell.undecided for outcome in graded.values() for cell in outcome.cells)


def test_the_usual_mistake_is_named(graded):
    """The skeleton shows how a hint says where to look."""
    messages = [words.message(item) for item in graded["wrong"].cells[0].items]
    assert messages[0] == "Subtract 32 first, then multiply by 5 / 9."


def test_the_release_has_no_answers(course):
    """Neither the solution nor a hidden test is handed out."""
    released = (course / "release/warm_up/warm_up.ipynb").read_text()
    assert "return (fahrenheit" not in released
    assert "run_hidden_tests" not in released


def new(monkeypatch, folder, name):
    """Run ``proctor new`` in a folder."""
    monkeypatch.chdir(folder)
    return cli.main(["new", "--", name])


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "1st", "-x", "ä", "a" * 65, "warm.up", "a\nb"])
def test_other_names_are_refused(tiny, name, monkeypatch, capsys):
    """A name that would not do as a folder, an id and a file name is refused in one line, and nothing is made."""
    before = sorted(tiny.rglob("*"))
    assert new(monkeypatch, tiny, name) == cli.USAGE
    assert "is no name for an assignment" in capsys.readouterr().err
    assert sorted(tiny.rglob("*")) == before


@pytest.mark.parametrize("kept", ["source/mine", "grader_tests/mine"])
def test_nothing_is_overwritten(tiny, kept, monkeypatch, capsys):
    """If a folder of that name exists, it stays as it is, and its fellow is not made either."""
    (tiny / kept).mkdir()
    (tiny / kept / "mine.txt").write_text("mine")
    before = sorted(tiny.rglob("*"))
    assert new(monkeypatch, tiny, "mine") == cli.USAGE
    assert "exists already" in capsys.readouterr().err
    assert (tiny / kept / "mine.txt").read_text() == "mine"
    assert sorted(tiny.rglob("*")) == before


def test_outside_of_a_course_nothing_is_made(tmp_path, monkeypatch, capsys):
    """Without a course around it, the command says so."""
    assert new(monkeypatch, tmp_path, "warm_up") == cli.USAGE
    assert "not in a course" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
