"""A sample of the catalogue through everything: submissions, warm sandboxed kernels, nbgrader, gradebook."""

import catalogue
import nbformat
import pytest
import real_course
from commands import run
from nbgrader.api import Gradebook
from real_course import ASSIGNMENT

from proctor.render.words import message
from proctor.results import in_notebook

SAMPLE = (
    "loss: Keras instance is the loss",
    "loss: noisy",
    "apply_gradients: an optimizer for each model",
    "apply_gradients: a method added to the model's class",
    "train: XLA",
    "train: one trace for all lengths and all models",
    "train: default arguments in a graph",
    "train: noisy",
    "all: every function a tf.function",
    "loss: NumPy",
    "loss: the global data",
    "apply_gradients: keeps what assign_sub returns",
    "apply_gradients: one optimizer for all models",
    "train: mean squared error written out",
    "train: updates the global model",
    "train: replaces the variables in a graph",
    "together: nothing but a right train",
)
CHOSEN = {f"answer-{i}": answer for i, answer in enumerate(a for a in catalogue.load() if a.name in SAMPLE)}
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course in which each chosen answer has been handed in and graded."""
    root = real_course.copy(tmp_path_factory.mktemp("answers") / "course", students=())
    for student, answer in CHOSEN.items():
        notebook = nbformat.read(root / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
        for cell in notebook.cells:
            cell.source = answer.code.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
        folder = root / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{ASSIGNMENT}.ipynb")
    released = run(root, "nbgrader", "generate_assignment", ASSIGNMENT, "--create", "--force")
    assert released.returncode == 0, released.stderr
    done = run(root, "proctor", "grade", timeout=1500)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def test_the_sample_is_in_the_catalogue():
    """Every name of the sample is that of an answer."""
    assert len(CHOSEN) == len(SAMPLE)


@pytest.mark.parametrize("student", [pytest.param(student, id=answer.name) for student, answer in CHOSEN.items()])
def test_a_real_kernel_gives_the_same(course, student):
    """The gradebook has the points of the catalogue, and the student's page its messages."""
    answer = CHOSEN[student]
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        notebook = book.find_submission_notebook(ASSIGNMENT, ASSIGNMENT, student)
        assert {grade.name: grade.score for grade in notebook.grades} == answer.points
    graded = nbformat.read(course / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    found = {
        cell.metadata.nbgrader.grade_id: in_notebook.verdict_of(cell)
        for cell in graded.cells
        if "nbgrader" in cell.metadata
    }
    for cell, text in answer.says.items():
        assert text in " ".join(message(item) for item in found[cell].items)
