"""The catalogue of damages through everything: the file, warm sandboxed kernels, nbgrader, gradebook.

Each student of one class hands in another right answer, damaged in another way.
"""

import json
import random

import catalogue
import pytest
import real_course
from attempts import ATTEMPTS, WRONG
from commands import run
from damages import DAMAGES, NAMED, handed_in
from in_effect import RIGHT
from nbgrader.api import Gradebook
from real_course import ASSIGNMENT

SLOW = ("XLA", "tf.function", "trace", "graph")  # each compiles in every kernel
ANSWERS = [answer.code for answer in catalogue.load() if answer.right and not any(word in answer.name for word in SLOW)]
FILES = {"mark": "utf-8-sig", "utf-16": "utf-16"}
FULL = {f"damaged-{number}": name for number, name in enumerate(DAMAGES)}
SAID = {f"named-{number}": name for number, name in enumerate(NAMED)}
TRIED = {f"tried-{number}": attempt for number, attempt in enumerate(ATTEMPTS)}
AUTOGRADED = ("all metadata lost", "all functions in one cell at the end", "loss in a text with prose")
pytestmark = pytest.mark.timeout(1800)


def hand_in(root, student, nb, encoding="utf-8"):
    """Put a notebook where a student's is expected, without a look at its form."""
    path = root / "submitted" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(json.dumps(nb).encode(encoding))


def points_of(root):
    """Points by student, as the gradebook has them."""
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        return {one.student_id: one.score for one in gradebook.assignment_submissions(ASSIGNMENT)}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The course with a class of damaged notebooks in it, and what `proctor grade` said."""
    root = real_course.copy(tmp_path_factory.mktemp("damaged") / "course", students=())
    for number, (student, name) in enumerate(FULL.items()):
        nb = handed_in({**RIGHT, **ANSWERS[number % len(ANSWERS)]})
        DAMAGES[name](nb, random.Random(1))
        hand_in(root, student, nb)
    for student, name in SAID.items():
        nb = handed_in(RIGHT)
        NAMED[name][0](nb, random.Random(1))
        hand_in(root, student, nb)
    for student, attempt in TRIED.items():
        nb = handed_in({**RIGHT, "loss": WRONG})
        attempt(nb)
        hand_in(root, student, nb)
    for student, encoding in FILES.items():
        hand_in(root, student, handed_in(RIGHT), encoding)
    released = run(root, "nbgrader", "generate_assignment", ASSIGNMENT, "--create", "--force")
    assert released.returncode == 0, released.stderr
    done = run(root, "proctor", "grade", timeout=1500)
    return root, done, points_of(root)


@pytest.mark.parametrize("student", [*(pytest.param(one, id=name) for one, name in FULL.items()), *FILES])
def test_a_right_answer_gets_full_points(graded, student):
    """Whatever has become of its notebook."""
    _, done, points = graded
    said = [line for line in (done.stdout + done.stderr).splitlines() if f"{student} " in line or f"{student}/" in line]
    assert points.get(student) == 20, said


@pytest.mark.parametrize("student", [pytest.param(one, id=name) for one, name in SAID.items()])
def test_what_cannot_be_told_is_named(graded, student):
    """No full points, and no zero in silence: the run says of this student what a person has to look at."""
    _, done, points = graded
    assert done.returncode == 1
    assert points.get(student, 0) < 20
    lines = [
        line for line in (done.stdout + done.stderr).splitlines() if f"{student} " in line or f"{student}/" in line
    ]
    assert any(NAMED[SAID[student]][1] in line for line in lines), lines


@pytest.mark.parametrize("student", [pytest.param(one, id=attempt.__name__) for one, attempt in TRIED.items()])
def test_an_attempt_gains_nothing(graded, student):
    """The points of `apply_gradients` and `train` are earned, those of `loss` and of the run of all three are not."""
    _, _, points = graded
    assert points[student] <= 12


def test_warnings_of_libraries_are_not_heard(graded):
    """Notebooks without cell ids are read without a word of nbformat's."""
    _, done, _ = graded
    assert "MissingIDFieldWarning" not in done.stdout + done.stderr


def test_nbgraders_own_command_gives_the_same(graded):
    """`nbgrader autograde` repairs, too."""
    root, _, _ = graded
    for student in (one for one, name in FULL.items() if name in AUTOGRADED):
        done = run(root, "nbgrader", "autograde", ASSIGNMENT, "--student", student, "--force")
        assert done.returncode == 0, done.stderr
        assert points_of(root)[student] == 20
