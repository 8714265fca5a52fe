"""The files for Gradescope and GitHub Classroom do what their pages say, as far as one machine can tell."""

import json
import os
import shlex
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import nbformat
import pages
import pytest
import tiny_course
import yaml
from course_files import ASSIGNMENT, ROOT
from nbgrader.utils import parse_utc

TINY = tiny_course.ASSIGNMENT
GRADESCOPE = ROOT / "docs" / "gradescope"
CLASSROOM = [yaml.load(block, yaml.BaseLoader) for block in pages.blocks(ROOT / "docs/github-classroom.md", "yaml")]


@pytest.fixture
def autograder(tiny):
    """Gradescope's folders, with the tiny course and this environment in place of what setup.sh builds."""
    root = tiny.parent / "autograder"
    for folder in ("source", "submission", "results"):
        (root / folder).mkdir(parents=True)
    tiny.rename(root / "source" / "course")
    (root / "source/course/.venv").mkdir()
    (root / "source/course/.venv/bin").symlink_to(Path(sys.executable).parent)
    return root


def grade(autograder):
    """Run `run_autograder` and return what it wrote for Gradescope."""
    done = subprocess.run(
        [GRADESCOPE / "run_autograder"], env={**os.environ, "AUTOGRADER": str(autograder), "ASSIGNMENT": TINY},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads((autograder / "results/results.json").read_text())


def test_gradescope_gets_the_items_of_a_submission(autograder):
    """A wrong answer comes back with its items, points and hints."""
    course = autograder / "source/course"
    handed_in = tiny_course.submit(course, "ada", "def double(x):\n    return 2 * x if isinstance(x, int) else x\n")
    handed_in.rename(autograder / "submission" / f"{TINY}.ipynb")
    found = [(test["status"], test["score"], test["max_score"]) for test in grade(autograder)["tests"]]
    assert found == [("passed", 2, 2), ("failed", 0, 1)]


def test_gradescope_is_told_of_a_missing_notebook(autograder):
    """Who uploads something else reads which name is expected."""
    assert f"{TINY}.ipynb" in grade(autograder)["output"]


def test_the_zip_file_for_gradescope_has_all_that_it_needs(tmp_path):
    """The page's command packs both files at the top, executable, and the course below them."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    (command,) = [line for line in pages.commands(GRADESCOPE / "README.md") if line.startswith("git archive")]
    words = shlex.split(command.replace("autograder.zip", str(tmp_path / "a.zip")))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        names = set(file.namelist())
        assert file.getinfo("run_autograder").external_attr >> 16 & 0o100
    needed = {"Makefile", "requirements.lock", "nbgrader_config.py", f"source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"}
    assert {"setup.sh", "run_autograder", *(f"course/{name}" for name in needed)} <= names


def steps(workflow):
    """All shell commands of a workflow."""
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def test_students_workflow_holds_no_secret():
    """What reaches a student's repository names no secret, and may only read."""
    students, ours = CLASSROOM
    assert "secrets" not in json.dumps(students)
    assert students["permissions"] == ours["permissions"] == {"contents": "read"}
    assert "make grade" in steps(ours)


def test_the_workflow_collects_every_repository(tmp_path):
    """The collecting step, with a `gh` that clones folders: each notebook arrives with the time of its push."""
    (collect,) = [run for run in steps(CLASSROOM[1]) if "gh repo list" in run]
    programs, repositories, course = (tmp_path / name for name in ("bin", "org", "course"))
    (course / "submitted/sample-ada").mkdir(parents=True)
    programs.mkdir()
    for name in ("ctb-ada", "ctb-bo", "other"):
        repository = repositories / name
        repository.mkdir(parents=True)
        nbformat.write(tiny_course.source_notebook(), repository / f"{ASSIGNMENT}.ipynb")
        for command in (
            ["init", "-q"],
            ["add", "."],
            ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", *command], cwd=repository, check=True, timeout=60)
    fake = programs / "gh"
    fake.write_text(
        f"""#!/bin/sh
case "$1 $2" in
"repo list") ls {repositories} ;;
"repo clone") cp -r {repositories}/$(basename "$3") "$4" ;;
api*) echo 2026-10-01T12:00:00Z ;;
esac
"""
    )
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "CLASSROOM": "org", "PREFIX": "ctb-"}
    done = subprocess.run(["bash", "-e", "-c", collect], cwd=course, env=environment, timeout=60, check=False)
    assert done.returncode == 0
    assert {path.name for path in (course / "submitted").iterdir()} == {"ada", "bo"}
    for student in ("ada", "bo"):
        folder = course / "submitted" / student / ASSIGNMENT
        assert (folder / f"{ASSIGNMENT}.ipynb").is_file()
        assert parse_utc((folder / "timestamp.txt").read_text()) == datetime(2026, 10, 1, 12)
