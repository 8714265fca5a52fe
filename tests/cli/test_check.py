"""``proctor check`` imports what the notebook needs, and says what it is doing to somebody who waits."""

import os
import subprocess

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from proctor.course import folders as courses
from proctor.grading import one_notebook
from proctor.render import words

PRELOAD = ["tensorflow", "numpy", "matplotlib.pyplot"]
CELLS = {
    "import numpy as np": ["numpy"],
    "if True:\n    import os, tensorflow as tf": ["tensorflow"],
    "%matplotlib inline\nfrom matplotlib import pyplot as plt": ["matplotlib.pyplot"],
    "import importlib; importlib.import_module('tensorflow.keras')": ["tensorflow"],
    "import tensorflow_probability, numpydoc, os": [],
}


@pytest.fixture
def course(tiny):
    """A course whose class needs more than one of its notebooks does."""
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.ProctoredExecute.preload = {PRELOAD}\n")
    return tiny


@pytest.mark.parametrize("code", CELLS)
def test_finds_what_a_notebook_imports(course, tmp_path, code):
    """In whatever way; the code cells count and what the hidden tests import, not the text around them."""
    notebook = tmp_path / "some.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("import tensorflow"), new_code_cell(code)]), notebook)
    for tests in (course / "grader_tests" / "tiny").glob("*.py"):
        tests.write_text("import pytest\n")
    loaded = courses.load(course)
    assert one_notebook.needed(loaded, notebook, "tiny") == CELLS[code]
    (course / "grader_tests" / "tiny" / "scenarios.py").write_text("import numpy\n")
    assert "numpy" in one_notebook.needed(loaded, notebook, "tiny")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 1}', '{"cells": [{"cell_type": "code"}]}'])
def test_what_is_no_notebook_imports_nothing(course, tmp_path, content):
    """That it cannot be graded is said later."""
    (tmp_path / "some.ipynb").write_text(content)
    assert one_notebook._code_of(tmp_path / "some.ipynb") == ""


def test_says_what_it_is_doing(course):
    """Somebody in front of a terminal sees what is imported (no TensorFlow here) and that the notebook runs."""
    terminal, other_end = os.openpty()
    command = ["proctor", "check", "source/tiny/tiny.ipynb"]
    done = subprocess.run(command, cwd=course, stdout=subprocess.PIPE, stderr=other_end, check=False)
    os.close(other_end)
    said = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert done.stdout.splitlines()[-1] == b"Together: 3 of 3 points"
    assert (done.returncode, said.splitlines()) == (0, [words.importing(["numpy"]), words.grading("tiny.ipynb")])


@pytest.mark.parametrize("form", ["text", "gradescope"])
def test_a_broken_notebook_is_called_by_the_name_that_was_given(course, tmp_path, form):
    """And not by that of the copy in a course that is thrown away; Gradescope's students read it, too."""
    (tmp_path / "tiny.ipynb").write_text('{"cells": [')
    command = ["proctor", "check", str(tmp_path / "tiny.ipynb"), "--format", form]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    words = "tiny.ipynb: not a notebook (broken JSON, line 1): ask the student to hand in again"
    assert f"proctor: {tmp_path}/{words}" in done.stderr
    assert (f"{tmp_path}/{words}" in done.stdout) == (form == "gradescope")
    assert "submitted/notebook" not in done.stdout + done.stderr
