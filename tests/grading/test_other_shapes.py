"""Assignments of other shapes: two notebooks, a helper module, data, written answers, no hidden tests of ours."""

import json
import unicodedata

import nbformat
import pytest
from commands import export, run
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

NAME = "lab"
CONFIG = """
import proctor
c = get_config()
c.CourseDirectory.course_id = "shapes"
c.CourseDirectory.student_id_exclude = "left-out"
proctor.configure(c)
"""
NFD = unicodedata.normalize("NFD", "zoë")


def about(grade_id, **more):
    base = {"schema_version": 3, "grade": False, "solution": False, "locked": True, "task": False}
    return {"nbgrader": {**base, "grade_id": grade_id, **more}}


def first():
    """Uses a module and a drawing that come with the assignment; its test has the same name as the other one's."""
    by_hand = {"grade": True, "solution": True, "locked": False}
    solution = "import helper\ndef f(x):\n    ### BEGIN SOLUTION\n    return helper.twice(x)\n    ### END SOLUTION"
    cells = [
        new_code_cell(solution, metadata=about("f", solution=True, locked=False)),
        new_code_cell(
            "assert f(1) == 2\nassert open('figure.svg').read()", metadata=about("test", grade=True, points=3)
        ),
        new_markdown_cell("Why?", metadata=about("essay", points=5, **by_hand)),
    ]
    return notebook(cells)


def second():
    """Reads data that the first one must not have lost."""
    solution = "def g():\n    ### BEGIN SOLUTION\n    return open('table.xml').read()\n    ### END SOLUTION"
    cells = [
        new_code_cell(solution, metadata=about("g", solution=True, locked=False)),
        new_code_cell("assert g().startswith('<')", metadata=about("test", grade=True, points=2)),
    ]
    return notebook(cells)


def notebook(cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def hand_in(root, student, names=("one", "two"), **files):
    folder = root / "submitted" / student / NAME
    folder.mkdir(parents=True)
    for name in names:
        nb = nbformat.read(root / "release" / NAME / f"{name}.ipynb", as_version=4)
        solution = (first if name == "one" else second)().cells[0].source
        nb.cells[0].source = solution
        if name == "one":
            nb.cells[2].source = "Because."
        nbformat.write(nb, folder / f"{name}.ipynb")
    for name, text in {"helper": "def twice(x): return 2 * x\n", **files}.items():
        (folder / {"helper": "helper.py", "time": "timestamp.txt", "page": "mine.html"}[name]).write_text(text)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    root = tmp_path_factory.mktemp("shapes") / "course"
    source = root / "source" / NAME
    source.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    (source / "figure.svg").write_text("<svg/>")
    (source / "table.xml").write_text("<t/>")
    nbformat.write(first(), source / "one.ipynb")
    nbformat.write(second(), source / "two.ipynb")
    (source / "._one.ipynb").write_bytes(b"\0\5\x16\7")
    assert run(root, "nbgrader", "generate_assignment", NAME, "--create").returncode == 0
    hand_in(root, "both", page="<script>")
    (root / "submitted" / "both" / NAME / "._one.ipynb").write_bytes(b"\0\5\x16\7")
    hand_in(root, "half", ("one",))
    hand_in(root, "nowhere", ())
    hand_in(root, "left-out")
    hand_in(root, "pst", time="2026-02-02 10:00:00 PST")
    hand_in(root, "offset", time="2026-02-02 10:00:00 +0100")
    hand_in(root, "utc", time="2026-02-02 10:00:00 UTC")
    hand_in(root, NFD)
    return root, run(root, "proctor", "grade")


def test_each_notebook_counts(graded):
    """Of two notebooks, one that was not handed in earns nothing, the other one its points, as with nbgrader."""
    root, done = graded
    rows = {line.split()[0]: line.split()[1:5] for line in done.stdout.splitlines() if line}
    assert rows["student"] == ["one/test", "essay", "two/test", "total"]
    assert rows["both"] == ["3", "?", "2", "5/10"]
    assert rows["half"] == ["3", "?", "0", "3/10"]
    assert "two.ipynb was not handed in" in done.stdout
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        scores = {one.student_id: one.score for one in book.assignment_submissions(NAME)}
    assert scores == {"both": 5, "half": 3, "utc": 5}


def test_who_cannot_be_graded_is_named_with_what_to_do(graded):
    """No notebook, a time that nbgrader would misread, a name that would be another student."""
    _, done = graded
    refused = {line.split("/")[1]: line for line in done.stderr.splitlines() if line.startswith("  submitted/")}
    assert {name.rstrip(":") for name in refused} == {"nowhere", "pst", "offset", NFD}
    assert "rename the folder" in done.stderr
    assert done.stderr.count("write the time in UTC") == 4  # as they come, and at the end


def test_who_is_left_out_is_not_there(graded):
    """``student_id_exclude`` holds for every command."""
    root, done = graded
    assert "left-out" not in done.stdout + done.stderr
    assert not (root / "autograded/left-out").exists()


def test_what_the_author_ships_is_released(graded):
    """Drawings and data of any kind reach the students; a page of a student's does not reach formgrader."""
    root, _ = graded
    assert {path.name for path in (root / "release" / NAME).iterdir()} >= {"figure.svg", "table.xml"}
    assert not (root / "autograded/both" / NAME / "mine.html").exists()


def test_exports_have_both_tests_of_one_name(graded, tmp_path):
    """The same grade id in two notebooks: two columns."""
    root, _ = graded
    rows = export(root, "proctor.ExerciseExport", tmp_path / "grades.csv")
    assert {"one/test", "two/test"} <= {cell.split(" ")[0] for cell in rows[0]}


def test_check_takes_what_lies_beside_the_notebook(graded):
    """A student's own module counts for ``proctor check`` as it does when the class is graded."""
    root, _ = graded
    done = run(root, "proctor", "check", f"submitted/both/{NAME}/one.ipynb", "--assignment", NAME, "--json")
    assert done.returncode in (0, 1), done.stderr
    points = {cell["grade_id"]: cell["points"] for cell in json.loads(done.stdout)["cells"]}
    assert points == {"one/test": 3, "essay": None}


def test_grading_before_the_release_names_the_way_out(tmp_path):
    """Submissions of an assignment that was never generated would keep nbgrader from generating it."""
    (tmp_path / "source" / NAME).mkdir(parents=True)
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    nbformat.write(first(), tmp_path / "source" / NAME / "one.ipynb")
    folder = tmp_path / "submitted/ada" / NAME
    folder.mkdir(parents=True)
    nbformat.write(first(), folder / "one.ipynb")
    assert run(tmp_path, "nbgrader", "db", "assignment", "add", NAME).returncode == 0
    assert run(tmp_path, "nbgrader", "autograde", NAME).returncode != 0
    assert "Cannot modify existing" in run(tmp_path, "nbgrader", "generate_assignment", NAME).stderr
    done = run(tmp_path, "proctor", "grade")
    assert (done.returncode, f"run `nbgrader generate_assignment {NAME} --create --force`" in done.stderr) == (
        2,
        True,
    ), done.stderr
    assert run(tmp_path, "nbgrader", "generate_assignment", NAME).returncode == 0
