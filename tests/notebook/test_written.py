"""What a notebook writes reaches ``autograded/`` and the next notebook: plain data, within bounds, and nothing else."""

import json

import nbformat
import numpy as np
import pytest
from commands import run
from nbformat.v4 import new_code_cell, new_notebook

from proctor.border import wire
from proctor.errors import KernelDied
from proctor.notebook.written import MAX_TOGETHER, bring

NAME = "lab"
CONFIG = 'import proctor\nc = get_config()\nc.CourseDirectory.course_id = "x"\nproctor.configure(c)\n'
WRITES = """
import os
os.makedirs("out", exist_ok=True)
for name in ("answer.txt", "out/table.csv", "page.html", "mine.py", "other.ipynb", ".hidden.txt", "timestamp.txt"):
    open(name, "w").write("1 2 3")
open("given.csv", "w").write("changed")
open("large.txt", "w").write("x" * 3_000_000)
try:
    os.symlink("/etc/hostname", "link.txt")
except OSError:
    pass
"""
READS = "assert open('answer.txt').read() == '1 2 3'"


def notebook(source, grade_id):
    about = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False, "points": 1}
    cell = new_code_cell(source, metadata={"nbgrader": {**about, "grade_id": grade_id}})
    return new_notebook(cells=[cell], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


def test_plain_data_is_there_for_a_person_and_for_the_next_notebook(tmp_path):
    """By the whole way of a submission; what was handed in stays what it was."""
    source = tmp_path / "source" / NAME
    source.mkdir(parents=True)
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    (source / "given.csv").write_text("1")
    nbformat.write(notebook(WRITES, "writes"), source / "one.ipynb")
    nbformat.write(notebook(READS, "reads"), source / "two.ipynb")
    assert run(tmp_path, "nbgrader", "generate_assignment", NAME).returncode == 0
    (tmp_path / "submitted/ada").mkdir(parents=True)
    (tmp_path / "release" / NAME).rename(tmp_path / "submitted/ada" / NAME)
    done = run(tmp_path, "proctor", "grade")
    assert "2/2" in done.stdout, done.stdout + done.stderr
    graded = tmp_path / "autograded/ada" / NAME
    names = {str(path.relative_to(graded)) for path in graded.rglob("*") if path.is_file()}
    assert names == {"one.ipynb", "two.ipynb", "answer.txt", "out/table.csv", "given.csv"}
    assert (graded / "given.csv").read_text() == "changed"
    assert (tmp_path / "submitted/ada" / NAME / "given.csv").read_text() == "1"


LIES = {
    "above": [["../out.txt", b"x"]],
    "from the root": [["/tmp/out.txt", b"x"]],
    "hidden": [[".ssh/out.txt", b"x"], ["a/.b.txt", b"x"]],
    "another kind": [["out.html", b"x"], ["out", b"x"], ["out.txt.svg", b"x"], ["one.ipynb", b"x"]],
    "nbgrader's": [["timestamp.txt", b"2000-01-01"], ["submission_secret.txt", b"x"]],
    "marks": [["a\nb.txt", b"x"], ["a\0b.txt", b"x"], ["<b>.txt", b"x"], ["a:b.txt", b"x"], ["a\\b.txt", b"x"]],
    "deep": [["a/b/c/d/e.txt", b"x"], ["x" * 300 + ".txt", b"x"]],
    "no file": ["out.txt", 7, None, ["out.txt"], ["out.txt", "x"], [7, b"x"], ["out.txt", b"x", 1]],
    "a folder's name": [["folder.txt", b"x"], ["folder.txt/../x.html", b"x"], ["given.txt/below.txt", b"x"]],
    "too much": [[f"{number}.txt", b"x" * (MAX_TOGETHER // 2 + 1)] for number in range(2)],
    "not a list": {"out.txt": b"x"},
}


def reply(value):
    def with_arrays(part):
        if isinstance(part, bytes):
            return np.frombuffer(part, dtype="uint8")
        return [with_arrays(one) for one in part] if isinstance(part, list) else part

    return lambda request: wire.to_json({"value": with_arrays(value)})


@pytest.mark.parametrize("lie", LIES)
def test_a_students_process_can_say_what_it_likes(lie, tmp_path):
    """A name that leads out, hides, or is of another kind; a form that is none: nothing is written anywhere."""
    target = tmp_path / "autograded"
    (target / "folder.txt").mkdir(parents=True)
    (target / "given.txt").write_text("given")
    bring(reply(LIES[lie]), target)
    assert {path.name for path in tmp_path.rglob("*")} == {"autograded", "folder.txt", "given.txt"}
    assert (target / "given.txt").read_text() == "given"


def test_only_so_many_files_are_kept(tmp_path):
    """And no answer is no file."""
    bring(reply([[f"{number}.txt", b"x"] for number in range(100)]), tmp_path)
    assert len(list(tmp_path.iterdir())) == 20
    bring(lambda request: json.dumps({"value": None}), tmp_path)

    def dead(request):
        raise KernelDied

    bring(dead, tmp_path)
    assert len(list(tmp_path.iterdir())) == 20
