"""A student's way without a server: the released notebook on its own, where neither nbgrader nor proctor is installed."""

import json
import re
import subprocess
import sys

import nbformat
import pytest
from course_files import ASSIGNMENT, ROOT

RELEASE = ROOT / "release" / ASSIGNMENT
PLAIN = """
import json, sys
for name in ("nbgrader", "proctor"):
    sys.modules[name] = None  # importing it raises ImportError
import matplotlib
matplotlib.use("agg")
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for source in json.load(sys.stdin):
    shell.run_cell(source).raise_error()
"""


def solved():
    """Code cells of the release, with the source's solutions."""
    source = nbformat.read(ROOT / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    answers = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    released = nbformat.read(RELEASE / f"{ASSIGNMENT}.ipynb", as_version=4)
    for cell in released.cells:
        if cell.cell_type == "code":
            yield answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)


def test_the_release_runs_in_a_plain_environment(tmp_path):
    """From top to bottom in an empty folder, solved: all four checks pass, and nothing of ours is imported."""
    done = subprocess.run(
        [sys.executable, "-c", PLAIN], cwd=tmp_path, input=json.dumps(list(solved())),
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(re.findall("the checks have passed", done.stdout)) == 4


def test_the_requirements_are_all_that_it_imports():
    """requirements.txt beside the notebook covers its imports, and pip understands it."""
    requirements = RELEASE / "requirements.txt"
    names = set(re.findall(r"^[a-z]+", requirements.read_text(), re.MULTILINE))
    imported = set(re.findall(r"^(?:import|from) (\w+)", "\n".join(solved()), re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) <= names
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-deps", "-r", requirements],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["nbgrader", "proctor"])
def test_the_release_does_not_name_what_students_lack(name):
    """No code of the release mentions nbgrader or proctor."""
    assert not any(name in source for source in solved_release())


def solved_release():
    """Code cells as they are released."""
    released = nbformat.read(RELEASE / f"{ASSIGNMENT}.ipynb", as_version=4)
    return [cell.source for cell in released.cells if cell.cell_type == "code"]
