"""A sample of the damages through everything: the file, warm sandboxed kernels, nbgrader, gradebook."""

import json
import random

import pytest
import real_course
from commands import run
from damages import DAMAGES, handed_in
from in_effect import RIGHT
from nbgrader.api import Gradebook
from real_course import ASSIGNMENT

SAMPLE = (
    "all metadata lost", "through Colab without nbgrader's metadata", "cells in another order", "tasks swapped",
    "all functions in one cell at the top", "all functions in one cell at the end", "only the functions are left",
    "loss merged with its test", "train below magics", "train below Colab's drive", "apply_gradients in a text cell",
    "loss above its stub", "train at the end", "grade ids mixed up among given cells",
)  # fmt: skip
FILES = {"mark": "utf-8-sig", "utf-16": "utf-16"}
BY_STUDENT = {f"damaged-{number}": name for number, name in enumerate(SAMPLE)}
pytestmark = pytest.mark.timeout(900)


def hand_in(root, student, content):
    """Put bytes where a student's notebook is expected."""
    path = root / "submitted" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """Points by student of a class of damaged notebooks, and what `proctor grade` said."""
    root = real_course.copy(tmp_path_factory.mktemp("damaged") / "course", students=())
    for student, name in BY_STUDENT.items():
        nb = handed_in(RIGHT)
        DAMAGES[name](nb, random.Random(1))
        hand_in(root, student, json.dumps(nb).encode())
    for student, encoding in FILES.items():
        hand_in(root, student, json.dumps(handed_in(RIGHT)).encode(encoding))
    hand_in(root, "another", json.dumps({"cells": [{"cell_type": "code", "source": "print(1)"}]}).encode())
    released = run(root, "nbgrader", "generate_assignment", ASSIGNMENT, "--create", "--force")
    assert released.returncode == 0, released.stderr
    done = run(root, "proctor", "grade", timeout=600)
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        return {one.student_id: one.score for one in gradebook.assignment_submissions(ASSIGNMENT)}, done


@pytest.mark.parametrize("student", [*(pytest.param(one, id=name) for one, name in BY_STUDENT.items()), *FILES])
def test_a_right_answer_gets_full_points(graded, student):
    """Whatever has become of its notebook."""
    points, done = graded
    assert points.get(student) == 20, done.stdout + done.stderr


def test_another_notebook_is_named(graded):
    """No points, no zero in silence: the run says what it is, and that it was not graded."""
    _, done = graded
    assert done.returncode == 1
    assert "this is not the notebook that was released" in done.stderr


def test_warnings_of_libraries_are_not_heard(graded):
    """Notebooks without cell ids are read without a word of nbformat's."""
    _, done = graded
    assert "MissingIDFieldWarning" not in done.stdout + done.stderr
