"""What leaves for other tools has their columns, the gradebook's scores, and nothing that a spreadsheet would run."""

import csv

import graded_class
import pytest
from commands import run
from graded_class import Graded
from nbgrader.api import Gradebook

ADA = Graded("ada", name=("Ada", "Lovelace"), email="ada@example.org")
BO = Graded("bo", ("passed", "failed"), name=("Bo", "=Katz"), email="bo@example.org", by_hand=2.5, late=30, penalty=0.5)
DI = Graded("di", ("undecided", "passed"))


@pytest.fixture
def course(tiny):
    """Three graded students and one who has not handed in; one is known to the platform."""
    graded_class.grade(tiny, ADA, BO, DI)
    with Gradebook(f"sqlite:///{tiny}/gradebook.db", "custom-training") as book:
        book.update_or_create_student("ada", lms_user_id="4711")
        book.add_student("absent")
    return tiny


def exported(course, plugin, *more, encoding="utf-8"):
    """Run nbgrader's export with one of our plug-ins and read its file."""
    done = run(course, "nbgrader", "export", f"--exporter=proctor.exports.{plugin}", "--to=out.csv", *more)
    assert done.returncode == 0, done.stderr
    with (course / "out.csv").open(encoding=encoding, newline="") as file:
        return list(csv.reader(file)), done.stderr


def test_one_column_for_each_exercise_and_test(course):
    """Nbgrader's own columns first; a person's score stands in the exercise, the tests' results beside it."""
    (head, *lines), _ = exported(course, "ExerciseExport", encoding="utf-8-sig")
    rows = {line[3]: dict(zip(head, line, strict=True)) for line in lines}
    own = ["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score"]
    assert head[:11] == [*own, "late_submission_penalty", "score", "max_score"]
    assert head[12:] == ["test_double", "test_double: test_values", "test_double: test_arrays"]
    assert [float(rows["bo"][name]) for name in ("raw_score", "late_submission_penalty", "score")] == [2.5, 0.5, 2.0]
    assert [float(rows["bo"][name]) for name in head[12:]] == [2.5, 2.0, 0.0]
    assert rows["bo"]["last_name"] == "'=Katz"
    assert rows["di"]["test_double: test_values"] == "?"
    assert rows["di"]["needs_manual_grade"] == "1"
    assert (float(rows["absent"]["score"]), rows["absent"]["test_double"]) == (0.0, "")


def test_scores_agree_with_nbgraders_own_export(course):
    """Same students, same scores as the plain ``nbgrader export``."""
    (head, *lines), _ = exported(course, "ExerciseExport", encoding="utf-8-sig")
    assert run(course, "nbgrader", "export", "--to=own.csv").returncode == 0
    with (course / "own.csv").open(newline="") as file:
        own = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert {line[head.index("student_id")]: float(line[head.index("score")]) for line in lines} == own


def test_only_the_chosen_students(course):
    """``--student`` and ``--assignment`` work as in nbgrader's own export; an unknown assignment is named."""
    (_, *lines), _ = exported(course, "ExerciseExport", "--student=['ada']", encoding="utf-8-sig")
    assert [line[3] for line in lines] == ["ada"]
    lines, said = exported(course, "ExerciseExport", "--assignment=['nothing']", encoding="utf-8-sig")
    assert len(lines) == 1
    assert "no assignment 'nothing'" in said


def test_canvas(course):
    """Canvas' five columns in its order, the row of possible points, and nobody without a score."""
    with (course / "nbgrader_config.py").open("a") as config:
        config.write('\nc.CanvasExport.titles = {"tiny": "Tiny (99)"}\n')
    (head, possible, *lines), said = exported(course, "CanvasExport")
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Tiny (99)"]
    assert "Points Possible" in possible[0]
    assert float(possible[5]) == 3.0
    assert {line[3]: float(line[5]) for line in lines} == {"ada": 3.0, "bo": 2.0, "di": 1.0}
    assert next(line for line in lines if line[3] == "ada")[:2] == ["Lovelace, Ada", "4711"]
    assert next(line for line in lines if line[3] == "bo")[0] == "'=Katz, Bo"
    assert "1 submissions still wait for a person" in said


def test_moodle(course):
    """Columns to identify a student by, the grade, and feedback beside it."""
    (head, *lines), _ = exported(course, "MoodleExport", "--MoodleExport.login=email")
    identity = ["Username", "ID number", "Email address", "First name", "Last name"]
    assert head == [*identity, "tiny", "tiny feedback"]
    rows = {line[3]: line for line in lines if line[3]}
    assert rows["Ada"][:3] == ["ada@example.org", "4711", "ada@example.org"]
    assert float(rows["Bo"][5]) == 2.0
    assert rows["Bo"][6] == "double 2.5 of 3; late penalty 0.5"
    assert len(lines) == 3


def test_the_missing_get_a_zero_if_asked(course):
    """Who has not handed in is left out, or gets the score that the settings say."""
    (_, _, *lines), _ = exported(course, "CanvasExport", "--CanvasExport.missing=0")
    assert {line[3]: float(line[5]) for line in lines}["absent"] == 0.0
