"""An ordinary assignment, without hidden tests of ours, gets the scores of stock nbgrader; never more."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import tiny_course
from commands import run
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from nbgrader.utils import determine_grade

from proctor.hidden_tests import run_line
from proctor.notebook.cell_run import CellRun
from proctor.render.cell_outputs import as_outputs
from proctor.results.verdict import CellVerdict, Item

NAME = "ordinary"
RIGHT = "def f(x):\n    return 2 * x\n"
STOCK = 'c = get_config()\nc.CourseDirectory.course_id = "x"\nc.Execute.timeout = 3\n'
OURS = f"{STOCK}import proctor\nproctor.configure(c)\n"
# What a student wrote, in place of the solution; None: nothing.
LIKE_STOCK = {
    "right": RIGHT,
    "untouched": None,
    "visible-only": "def f(x):\n    return 2\n",
    "raises": "def f(x):\n    raise ValueError(x)\n",
    "syntax": "def f(x) return 2\n",
    "stderr": f"import sys\nprint('debug', file=sys.stderr)\n{RIGHT}",
    "stderr-in-test": "import sys\ndef f(x):\n    print('debug', file=sys.stderr)\n    return 2 * x\n",
    "hidden-error": "get_ipython().showtraceback = lambda *a, **k: None\ndef f(x): return 0\n",
    "cleared-error": "from IPython.display import clear_output\ndef f(x):\n    clear_output()\n    return 0\n",
    "sys-exit": "import sys\ndef f(x):\n    sys.exit(0)\n",
}
# A right answer. Stock nbgrader gives up on the whole submission when the kernel ends soon enough.
ENDS = {
    "exit": f"{RIGHT}\nexit()\n",
    "quit": f"{RIGHT}\nquit\n",
    "shutdown": f"{RIGHT}\nget_ipython().kernel.do_shutdown(False)\n",
}
# Stock nbgrader gives up on the whole submission, or takes too long to try here.
ONLY_OURS = {
    "ends-kernel": "import os\ndef f(x):\n    os._exit(0)\n",
    "endless": "def f(x):\n    while True: pass\n",
    "program": "import subprocess\ndef f(x):\n    return 2 * int(subprocess.check_output(['echo', str(x)]))\n",
    "flood": "def f(x):\n    for _ in range(300_000): print('x' * 100)\n    return 0\n",
    "every-value": "get_ipython().ast_node_interactivity = 'all'\ndef f(x):\n    raise ValueError\n",
    "full-then-wrong": "def f(x):\n    for _ in range(25_000): print('x' * 100)\n    return 0\n",
}
# Whole cells that a student deleted.
WITHOUT = {"no-answers": ("essay", "manual", "task"), "no-tests": ("hidden", "partial")}
ZERO = {"hidden": 0, "plain": 0, "partial": 0, "essay": 0, "manual": 0, "task": 0}


def about(grade_id: str, **more: object) -> dict[str, object]:
    """The metadata that nbgrader's toolbar would write."""
    base = {"schema_version": 3, "grade": False, "solution": False, "locked": True, "task": False}
    return {"nbgrader": {**base, "grade_id": grade_id, **more}}


def source_notebook() -> nbformat.NotebookNode:
    """Everything that nbgrader documents of a cell: hidden tests inside, a value as partial credit, manual grading."""
    by_hand = {"grade": True, "solution": True, "locked": False}
    hidden = "### BEGIN HIDDEN TESTS\nassert f(3) == 6\n### END HIDDEN TESTS"
    solution = "def f(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    cells = [
        new_code_cell(solution, metadata=about("f", solution=True, locked=False)),
        new_code_cell(f"assert f(1) == 2\n{hidden}", metadata=about("hidden", grade=True, points=3)),
        new_code_cell("assert f(1) == 2", metadata=about("plain", grade=True, points=2)),
        new_code_cell("(f(2) == 4) + 0.5 * (f(10) == 20)", metadata=about("partial", grade=True, points=4)),
        new_markdown_cell("Why?", metadata=about("essay", points=5, **by_hand)),
        new_markdown_cell("Draw it.", metadata=about("task", task=True, points=3)),
        new_code_cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", metadata=about("manual", points=2, **by_hand)),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def course(root: Path, config: str, answers: dict[str, str | None]) -> Path:
    """A released course with everybody's answer handed in."""
    (root / "source" / NAME).mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(config)
    nbformat.write(source_notebook(), root / "source" / NAME / "p.ipynb")
    assert run(root, "nbgrader", "generate_assignment", NAME, "--create").returncode == 0
    for student, code in answers.items():
        nb = nbformat.read(root / "release" / NAME / "p.ipynb", as_version=4)
        if code is not None:
            nb.cells[0].source = code
        gone = WITHOUT.get(student, ())
        nb.cells = [cell for cell in nb.cells if cell.metadata.nbgrader.grade_id not in gone]
        (root / "submitted" / student / NAME).mkdir(parents=True)
        nbformat.write(nb, root / "submitted" / student / NAME / "p.ipynb")
    return root


def gradebook(root: Path) -> dict[str, dict[str, object]]:
    """Scores, and what waits for a person, by student and cell."""
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        return {
            submission.student_id: {
                grade.name: (grade.auto_score, bool(grade.needs_manual_grade))
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in book.assignment_submissions(NAME)
        }


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """Graded by ``proctor grade``; what it printed, too."""
    root = course(
        tmp_path_factory.mktemp("ours") / "course",
        OURS,
        {**LIKE_STOCK, **ENDS, **ONLY_OURS, **dict.fromkeys(WITHOUT, RIGHT)},
    )
    return root, run(root, "proctor", "grade")


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """Graded by nbgrader as it comes, in a process that has never heard of us."""
    root = course(tmp_path_factory.mktemp("stock") / "course", STOCK, LIKE_STOCK)
    nbgrader = str(Path(sys.executable).parent / "nbgrader")
    subprocess.run([nbgrader, "autograde", NAME, "--create"], cwd=root, check=True, capture_output=True)
    return root


def test_scores_are_those_of_stock_nbgrader(ours, stock):
    """Right, wrong, untouched and hostile: cell by cell the same, and the same waits for a person."""
    assert {student: cells for student, cells in gradebook(ours[0]).items() if student in LIKE_STOCK} == gradebook(
        stock
    )


@pytest.mark.parametrize("student", ENDS)
def test_a_right_notebook_that_asks_its_kernel_to_end_keeps_its_points(ours, student):
    """``exit()``, ``quit`` or a shutdown request: nothing depends on how soon a kernel would have ended."""
    cells = gradebook(ours[0])
    assert cells[student] == cells["right"]


@pytest.mark.parametrize("student", WITHOUT)
def test_deleted_cells_are_put_back(ours, student):
    """A test, a written answer or a task that a student deleted: graded as if it were there, as it was released."""
    cells = gradebook(ours[0])
    assert cells[student] == cells["right"]


@pytest.mark.parametrize("student", ONLY_OURS)
def test_a_cell_that_did_not_run_to_its_end_earns_nothing(ours, student):
    """Stopped, dead, drowned in output, or never run: nbgrader finds an error in the cell's outputs."""
    assert {name: score or 0 for name, (score, _) in gradebook(ours[0])[student].items()} == ZERO


def test_the_table_has_every_graded_cell(ours):
    """An assignment without hidden tests of ours is graded like any other, with what a person grades in the total."""
    _, done = ours
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0]: line.split()[1:7] for line in done.stdout.splitlines() if line}
    assert rows["student"] == ["hidden", "plain", "partial", "essay", "task", "manual"]
    assert rows["right"] == ["3", "2", "1.5", "0", "?", "0"]
    assert "6.5/19" in done.stdout


def test_a_program_that_was_not_started_is_told(ours):
    """``subprocess``, ``!command`` and ``%%bash`` are what the sandbox forbids: the table says which cell tried."""
    _, done = ours
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("program ")]
    assert "cell hidden tried what the sandbox forbids" in row


def test_no_execute_runs_nothing(ours):
    """``--no-execute`` takes outputs as they were handed in; nbgrader's documentation warns of what that means."""
    root, _ = ours
    done = run(root, "nbgrader", "autograde", NAME, "--student=right", "--no-execute", "--force")
    assert done.returncode == 0, done.stderr
    outputs = [cell.get("outputs") for cell in nbformat.read(root / f"autograded/right/{NAME}/p.ipynb", 4).cells]
    assert not any(outputs)


def test_no_execute_leaves_hidden_tests_undecided(tiny):
    """What a student handed in as the output of a test cell is no verdict, whatever it looks like."""
    path = tiny_course.submit(tiny, "ada")
    nb = nbformat.read(path, as_version=4)
    item = Item("test_values", "Twice?", 3.0, "passed")
    nb.cells[-1].outputs = as_outputs(CellVerdict("test_double", 3.0, (item,)))
    nbformat.write(nb, path)
    assert run(tiny, "nbgrader", "autograde", "tiny", "--no-execute").returncode == 0
    with Gradebook(f"sqlite:///{tiny}/gradebook.db") as book:
        grade = book.find_grade("test_double", "tiny", "tiny", "ada")
        assert (grade.auto_score, grade.needs_manual_grade) == (0, True)


@pytest.mark.parametrize(
    "slip", ["{line}  # a comment", "import proctor\n{call}", "{call};", "import proctor as p\np.x"]
)
def test_our_line_in_another_form_runs_or_is_named(slip, tmp_path):
    """Hidden tests never drop out in silence: what is not our line, and speaks of it, ends with the cell's name."""
    call = 'proctor.run_hidden_tests("tiny/test_double.py")'
    hidden = slip.format(line=f"import proctor; {call}", call=call)
    source = f"a = 1\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS\n"
    runs = run_line.split(source)[1] == "tiny/test_double.py"
    assert runs or run_line.is_near_miss(source) == ("run_hidden_tests" in source)


def test_a_result_before_the_error_is_no_result():
    """Of the outputs, nbgrader takes the first result for the points; a cell that failed has none."""
    run = CellRun(end="error")
    run.add(new_output("execute_result", {"text/plain": "4"}), 1)
    run.ensure_error("NotRun", "")
    cell = new_code_cell(metadata=about("test", grade=True, points=4), outputs=run.outputs)
    assert determine_grade(cell) == (0, 4)


def test_clearing_the_output_keeps_a_value():
    """Partial credit does not become full credit because something cleared the output behind it."""
    run = CellRun()
    run.add(new_output("execute_result", {"text/plain": "0.5"}), 1)
    run.clear()
    cell = new_code_cell(metadata=about("test", grade=True, points=4), outputs=run.outputs)
    assert determine_grade(cell) == (0.5, 4)


# What a source notebook says of its kernel; what is said of it, or nothing: it is Python.
KERNELS = {
    "r": ({"name": "ir", "display_name": "R", "language": "R"}, "its kernel is 'ir' (R)"),
    "r-by-name": ({"name": "ir", "display_name": "R"}, "its kernel is 'ir' (ir)"),
    "julia": ({"name": "julia-1.9", "display_name": "Julia 1.9.2"}, "its kernel is 'julia-1.9' (julia)"),
    "installed": ({"name": "echo", "display_name": "Echo"}, "its kernel is 'echo' (echo)"),
    "colab": ({"name": "python3", "display_name": "Python 3"}, ""),
    "own-name": ({"name": "irene", "display_name": "Irene's environment"}, ""),
}


def test_another_language_is_refused_by_name(tmp_path, monkeypatch):
    """A notebook for R is not run as Python, whatever the submission says: the source's kernel counts."""
    echo = tmp_path / "data/kernels/echo"
    echo.mkdir(parents=True)
    (echo / "kernel.json").write_text('{"argv": ["true"], "display_name": "Echo", "language": "echo"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    root = tmp_path / "course"
    for name, (kernel, _) in KERNELS.items():
        (root / "source" / name).mkdir(parents=True)
        nb = source_notebook()
        nb.metadata.kernelspec = kernel
        nbformat.write(nb, root / "source" / name / "p.ipynb")
        nb.metadata = {"kernelspec": {"name": "python3", "display_name": "Python", "language": "python"}}
        (root / "submitted/ada" / name).mkdir(parents=True)
        nbformat.write(nb, root / "submitted/ada" / name / "p.ipynb")
    (root / "nbgrader_config.py").write_text(OURS)
    for name, (_, said) in KERNELS.items():
        assert run(root, "nbgrader", "generate_assignment", name, "--create").returncode == 0
        done = run(root, "proctor", "grade", name)
        assert (done.returncode, said in done.stderr) == (int(bool(said)), True), done.stderr
