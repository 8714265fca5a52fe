"""What cannot change a grade is not run again: below the last graded cell stands what the student handed in."""

import re
import shutil

import nbformat
import pytest
import tiny_course
from commands import run, scores
from formgrader_page import formgrader
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.api import Gradebook

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
KEPT = "[grader] Not run again: nothing from here on is graded. These are the outputs that were handed in."
NOT_RUN = "[grader] Not run: nothing from here on is graded."
RAN, HANDED_IN = "ran 42", "as handed in"  # no source says either
SHOUT = "print('ran', 6 * 7)"
ENDS = "import os\nos._exit(1)"
NAMES = ("tiny", "by_hand", "read_only")


def about(grade_id, **more):
    base = {"schema_version": 3, "grade": False, "solution": False, "locked": True, "task": False}
    return {"nbgrader": {**base, "grade_id": grade_id, **more}}


def given(name):
    return new_code_cell(f"{SHOUT}  # {name}", metadata=about(name), id=name)


def sources():
    """Three notebooks: tests, then given cells; points by a person, then a given cell; nothing graded."""
    tiny, by_hand, read_only = (tiny_course.source_notebook() for _ in NAMES)
    tiny.cells.insert(1, given("above"))
    tiny.cells += [given("below"), new_code_cell(SHOUT, id="own")]
    person = {"grade": True, "solution": True, "locked": False, "points": 2}
    by_hand.cells = [
        given("above"),
        new_code_cell("assert 1 == 1", metadata=about("test", grade=True, points=1), id="test"),
        new_code_cell("x = 1", metadata=about("manual", **person), id="manual"),
        given("between"),
        new_markdown_cell("Why?", metadata=about("essay", **person), id="essay"),
        given("below"),
    ]
    read_only.cells = [given("above"), given("below")]
    return dict(zip(NAMES, (tiny, by_hand, read_only), strict=True))


def outputs(notebook, cell):
    """What stands below a cell when it is handed in: harmless, harmful, and other in each notebook."""
    html = {"text/html": "<script>alert(1)</script>", "text/plain": "a table", "image/png": PNG}
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}}
    return [
        new_output("stream", name="stdout", text=f"{HANDED_IN}: {notebook}/{cell.id}\n"),
        new_output("display_data", html),
        new_output("display_data", widget),
        new_output("error", ename="MyError", evalue="mine", traceback=["a traceback of mine"]),
    ]


def hand_in(course, student, double=tiny_course.RIGHT, fresh=False, **cells):
    """All three notebooks, run at home unless `fresh`, with other code in `cells` of the first."""
    for name in NAMES:
        nb = nbformat.read(course / f"release/tiny/{name}.ipynb", as_version=4)
        for cell in nb.cells:
            own = {"double": double, **cells} if name == "tiny" else {"manual": SHOUT}
            cell.source = own.get(cell.id, cell.source)
            if cell.cell_type == "code" and not fresh:
                cell.outputs, cell.execution_count = outputs(name, cell), 1
        path = course / f"submitted/{student}/tiny/{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(nb, path)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Released, handed in and graded as the course comes; and a copy graded again with every cell run."""
    root = tiny_course.make(tmp_path_factory.mktemp("twice") / "course")
    for name, nb in sources().items():
        nbformat.write(nb, root / f"source/tiny/{name}.ipynb")
    assert run(root, "nbgrader", "generate_assignment", "tiny", "--create").returncode == 0
    hand_in(root, "ada")
    hand_in(root, "bo", below="print('forged', 6 * 7)")
    hand_in(root, "cleo", fresh=True)
    hand_in(root, "dan", double="def double(x): return x")
    hand_in(root, "eve", own=ENDS)
    done = run(root, "proctor", "grade")
    assert done.returncode == 0, done.stderr
    return root, done


@pytest.fixture(scope="module")
def all_run(course, tmp_path_factory):
    """The same course graded again after the setting has been changed; and what the command says then."""
    root = tmp_path_factory.mktemp("all") / "course"
    shutil.copytree(course[0], root)
    assert "5 unchanged" in summary(run(root, "proctor", "grade"))
    with (root / "nbgrader_config.py").open("a") as config:
        config.write("c.ProctoredExecute.run_all_cells = True\n")
    return root, run(root, "proctor", "grade")


def summary(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells(course, student, name="tiny"):
    """The graded cells of a notebook by the id of the cell; what they show is text."""
    nb = nbformat.read(course[0] / f"autograded/{student}/tiny/{name}.ipynb", as_version=4)
    nbformat.validate(nb)
    return {cell.id: cell for cell in nb.cells}


def text(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def test_what_was_handed_in_stays_below_the_last_graded_cell(course):
    """Two cells below the tests: each says that it was not run, and shows its own outputs of this notebook."""
    graded = cells(course, "ada")
    for name in ("below", "own"):
        shown = [f"{KEPT}\n", f"{HANDED_IN}: tiny/{name}\n", "a traceback of mine\n"]
        assert [one.text for one in graded[name].outputs if one.output_type == "stream"] == shown
        pictures = [one.data for one in graded[name].outputs if one.output_type == "display_data"]
        assert pictures == [{"image/png": PNG, "text/plain": "a table"}]
        assert {one.output_type for one in graded[name].outputs} == {"stream", "display_data"}


def test_all_others_are_run(course):
    """Up to the last graded cell nothing that was handed in counts; a person's cells are graded ones."""
    assert RAN in text(cells(course, "ada")["above"])
    by_hand = cells(course, "ada", "by_hand")
    for name in ("above", "manual", "between"):
        assert text(by_hand[name]) == f"{RAN}\n"
    assert HANDED_IN not in str([cells(course, "ada")[name].outputs for name in ("above", "double", "test-double")])
    assert text(by_hand["below"]).startswith(f"{KEPT}\n{HANDED_IN}: by_hand/below\n")


def test_without_a_graded_cell_nothing_is_run(course):
    """A notebook that is only read keeps all that was handed in."""
    for name, cell in cells(course, "ada", "read_only").items():
        assert text(cell).startswith(f"{KEPT}\n{HANDED_IN}: read_only/{name}\n")


def test_a_given_cell_that_was_changed_is_put_back_without_its_outputs(course):
    """What the student's own version wrote does not stand below the author's code."""
    graded = cells(course, "bo")
    assert graded["below"].source == given("below").source
    assert text(graded["below"]) == f"{NOT_RUN}\n"
    assert text(graded["own"]).startswith(KEPT)
    assert "restored cell below" in course[1].stdout


def test_where_nothing_was_handed_in_the_line_stands_alone(course):
    """A notebook handed in without outputs shows none below the last graded cell."""
    assert text(cells(course, "cleo")["below"]) == text(cells(course, "cleo")["own"]) == f"{NOT_RUN}\n"


def test_harm_below_the_last_graded_cell_is_not_done(course, all_run):
    """A cell that would end its kernel is not run, so there is nothing to tell of it."""
    assert "ended its kernel" not in course[1].stdout
    assert "ended its kernel" in all_run[1].stdout


def test_the_setting_runs_every_cell_as_before(all_run):
    """Everybody is graded again, as the setting decides what they see, and nothing that was handed in is left."""
    assert "0 unchanged" in summary(all_run[1])
    for name in NAMES:
        graded = cells(all_run, "ada", name)
        assert RAN in text(graded["below"])
        assert HANDED_IN not in str(graded)


def gradebook(root):
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        return {
            (submission.student_id, notebook.name, grade.name): (grade.auto_score, bool(grade.needs_manual_grade))
            for submission in book.assignment_submissions("tiny")
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def test_points_are_the_same_either_way(course, all_run):
    """Cell by cell, and so is what waits for a person."""
    assert gradebook(course[0]) == gradebook(all_run[0])
    assert scores(course[0]) == {"ada": 4, "bo": 4, "cleo": 4, "dan": 1, "eve": 4}


def test_nbgraders_own_command_does_the_same(course, tmp_path):
    """``nbgrader autograde``, and so formgrader's button."""
    root = shutil.copytree(course[0], tmp_path / "course")
    before = cells((root,), "ada")
    assert run(root, "nbgrader", "autograde", "tiny", "--student=ada", "--force").returncode == 0
    assert cells((root,), "ada") == before


def test_check_runs_every_cell(course):
    """Who checks a notebook learns that its last cell ends the kernel."""
    done = run(course[0], "proctor", "check", str(course[0] / "submitted/eve/tiny/tiny.ipynb"))
    assert "ended its kernel" in done.stdout


def test_people_read_it(course, inventory):
    """Formgrader and feedback show the line, the text and the picture, and nothing that runs."""
    root, _ = course
    assert run(root, "nbgrader", "generate_feedback", "tiny", "--student=ada").returncode == 0
    feedback = (root / "feedback/ada/tiny/tiny.html").read_text()
    page = formgrader(nbformat.read(root / "autograded/ada/tiny/tiny.ipynb", as_version=4))
    for shown in (feedback, page):
        plain = re.sub(r"<[^>]+>", "", shown)
        assert plain.count(KEPT) == 2
        assert plain.count(f"{HANDED_IN}: tiny/") == plain.count("a traceback of mine") == 2
        assert shown.count(PNG) == 2
        assert "alert(1)" not in shown
        assert not inventory(shown).handlers
    assert "run_hidden_tests" not in feedback
