"""A grade is a function of the submission: not of who else is graded, when, in which order, or how many at a time."""

import json

import nbformat
import pytest
import tiny_course
from commands import run, scores

GREEDY = "import numpy, os\nos.nice(5)\nheap = [numpy.ones(10 ** 6) for _ in range(40)]\ndef double(x): return x\n"
SPOILING = (
    "import builtins, random, numpy\nnumpy.random.seed(0); random.seed(0)\nnumpy.add = builtins.abs = None\n"
    "def double(x): return 3 * x\n"
)
NOTEBOOKS = {
    "right": tiny_course.RIGHT,
    "untouched": None,
    "wrong": "def double(x): return x * x",
    "partly": "def double(x): return 2 * x if isinstance(x, int) else None",
    "raises": "def double(x): return 2 * x + undefined",
    "random": "import numpy\ndef double(x): return 2 * x if numpy.random.rand() < 2 else x",
    "ends": "import os\ndef double(x): return 2 * x if isinstance(x, int) else os._exit(0)",
}


def graded(course, students, *options):
    """Hand in each notebook under a student's name and grade; by notebook, points and all that feedback is made of."""
    for student, notebook in students.items():
        tiny_course.submit(course, student, NOTEBOOKS[notebook])
    done = run(course, "proctor", "grade", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    points = scores(course)
    return {notebook: (points[student], shown(course, student)) for student, notebook in students.items()}


def shown(course, student):
    """The outputs of the graded cell as text: verdict, table and messages."""
    notebook = nbformat.read(course / f"autograded/{student}/tiny/tiny.ipynb", as_version=4)
    (cell,) = (cell for cell in notebook.cells if cell.metadata.nbgrader.grade_id == "test_double")
    return json.dumps(cell.outputs, sort_keys=True)


@pytest.fixture(scope="module")
def first(released_tiny_course, tmp_path_factory):
    """The class graded for the first time, one after the other: course, names, and what came of it."""
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("fairness") / "course")
    students = {f"student-{i}": notebook for i, notebook in enumerate(NOTEBOOKS)}
    return course, students, graded(course, students, "--jobs", "1")


def test_the_class_is_worth_comparing(first):
    """Full, some and no points; and messages of several kinds."""
    points = {notebook: earned for notebook, (earned, _) in first[2].items()}
    assert points == {"right": 3, "untouched": 0, "wrong": 0, "partly": 2, "raises": 0, "random": 3, "ends": 2}
    assert len({text for _, text in first[2].values()}) == 6  # the right one and the random one have the same


def test_grading_again_gives_the_same(first):
    """The second time, and with many jobs, every byte is the same."""
    course, students, before = first
    assert graded(course, students, "--force", "--jobs", "4") == before


def test_names_order_and_neighbours_do_not_matter(first, released_tiny_course, tmp_path):
    """In the other order, under other names, beside greedy and spoiling notebooks, every byte is the same."""
    _, _, before = first
    course = tiny_course.copy(released_tiny_course, tmp_path / "course")
    for i, neighbour in enumerate((GREEDY, SPOILING, GREEDY, SPOILING)):
        tiny_course.submit(course, f"a-neighbour-{2 * i}", neighbour)
    students = {f"a-neighbour-{2 * i + 1}": notebook for i, notebook in enumerate(reversed(NOTEBOOKS))}
    assert graded(course, students, "--jobs", "3") == before


def test_alone_gives_the_same(first, released_tiny_course, tmp_path):
    """A class of one gets what it got among others."""
    course = tiny_course.copy(released_tiny_course, tmp_path / "course")
    assert graded(course, {"only": "partly"})["partly"] == first[2]["partly"]
