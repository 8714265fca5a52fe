"""The notebook is what nbgrader and DESIGN's contract expect, and reads the same from task to task."""

import re
import symtable

import pytest
from nbformat import NotebookNode, validator
from nbgrader.nbgraderformat import MetadataValidator

SOLUTIONS = ["loss", "apply_gradients", "train"]
POINTS = {"test_loss": 4, "test_apply_gradients": 4, "test_train": 8, "test_training_run": 4}
SECTIONS = [
    "Set-up",
    "Warm-up: tensors and variables",
    "The model",
    "Task 1: the loss (4 points)",
    "Training data",
    "Task 2: the updates (4 points)",
    "Task 3: the train step (8 points)",
    "The training loop",
    "How w and b evolve",
    "Predictions on fresh data",
    "Loss against each weight",
    "Task 4: the training run (4 points)",
    "Explore (no points)",
    "The next step: Keras (no points)",
]
GIVEN = [
    "class Model",
    "TRUE_w = 3.0",
    "TRUE_b = 2.0",
    "NUM_EXAMPLES = 1000",
    "def make_data",
    "def plot_data(inputs, outputs, predicted_outputs",
    "def plot_loss_for_weights(weights_list, losses)",
    '"Epoch %2d: w=%1.2f b=%1.2f, loss=%2.5f"',
]


def nbgrader(cell: NotebookNode) -> dict:
    return cell.metadata.get("nbgrader", {})


def by_id(notebook: NotebookNode) -> dict[str, NotebookNode]:
    return {cell.id: cell for cell in notebook.cells}


def test_is_valid_for_jupyter_and_nbgrader(notebook):
    """Notebook format 4.5, ids unique, nbgrader's metadata of schema 3, the python3 kernel."""
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    validator.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    assert len(by_id(notebook)) == len(notebook.cells)
    assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}


def test_is_saved_without_outputs(notebook):
    """A saved output would show the solution's results to the student, and change with every run."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []


def test_has_three_solution_cells_and_four_test_cells(notebook):
    """The grade ids and the points are the contract with the hidden tests."""
    solutions = [nbgrader(cell)["grade_id"] for cell in notebook.cells if nbgrader(cell).get("solution")]
    points = {nbgrader(c)["grade_id"]: nbgrader(c)["points"] for c in notebook.cells if nbgrader(c).get("grade")}
    assert solutions == SOLUTIONS
    assert points == POINTS
    assert sum(points.values()) == 20


def test_grade_ids_are_the_cells_ids(notebook):
    """One name for a cell, wherever it is looked up."""
    assert [c.id for c in notebook.cells if nbgrader(c) and nbgrader(c)["grade_id"] != c.id] == []


def test_everything_is_locked_but_the_answers_and_the_playground(notebook):
    """Prose, given code and tests are read-only; cells to try something in stay the student's."""
    open_cells = [cell.id for cell in notebook.cells if not nbgrader(cell).get("locked")]
    assert [cell.id for cell in notebook.cells if cell.cell_type == "markdown" and not nbgrader(cell)["locked"]] == []
    assert set(open_cells) == {*SOLUTIONS, *(id_ for id_ in by_id(notebook) if re.search(r"try|explore-\w+$", id_))} - {
        id_ for id_ in by_id(notebook) if id_.endswith("-intro")
    }


def test_sections_come_in_the_order_of_the_lab(notebook):
    """One H1, then the sections of the lab."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1
    assert re.findall(r"^## (.*)$", prose, re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("text", GIVEN)
def test_given_names_are_in_locked_cells(notebook, text):
    """Hidden tests and students rely on these names."""
    assert [c.id for c in notebook.cells if c.cell_type == "code" and text in c.source and nbgrader(c).get("locked")]


def test_the_first_code_that_shows_is_the_three_imports(notebook):
    """A student meets TensorFlow first, not plumbing: what starts it quietly, and the helpers, are folded."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    folded = [cell.id for cell in code if cell.metadata.get("jupyter", {}).get("source_hidden")]
    shown = next(cell for cell in code if cell.id not in folded)
    assert shown.source.splitlines() == [
        "import matplotlib.pyplot as plt", "import numpy as np", "import tensorflow as tf"
    ]  # fmt: skip
    assert folded == [cell.id for cell in code if "hide-input" in cell.metadata.get("tags", [])] == ["start", "checks"]
    assert [cell.id for cell in code if cell.metadata.get("cellView") == "form"] == folded  # as Colab says it


def test_cells_to_fill_in_are_marked(notebook):
    """For the eye, by a pen in the text above; for programs, by a tag."""
    tagged = [cell.id for cell in notebook.cells if "your-turn" in cell.metadata.get("tags", [])]
    pairs = zip(notebook.cells, notebook.cells[1:], strict=False)
    assert (
        tagged == [below.id for above, below in pairs if "\n✏️ **Your turn: write `" in "\n" + above.source] == SOLUTIONS
    )


@pytest.mark.parametrize("name", SOLUTIONS)
def test_every_task_looks_the_same(notebook, name):
    """Imperative sentence, contract docstring, a stub that names what is missing, a try-it cell, the checks."""
    ids = list(by_id(notebook))
    here = ids.index(name)
    dashed = name.replace("_", "-")
    assert ids[here - 1] == f"task-{dashed}"
    assert ids[here + 1 : here + 5] == [f"try-{dashed}-intro", f"try-{dashed}", f"check-{dashed}", f"test_{name}"]
    assert f"**Your turn: write `{name}(" in notebook.cells[here - 1].source
    solution = notebook.cells[here].source
    assert all(part in solution for part in ('"""', "Args:", "Returns:", "enough."))
    stub = solution.partition("### END SOLUTION\n")[2]
    assert stub.strip().startswith(f'raise NotImplementedError("{name} is not written yet')


@pytest.mark.parametrize("name", POINTS)
def test_hidden_part_is_one_line_that_names_the_test_file(notebook, name):
    """The engine reads the file's name from here; nothing else may stand in the hidden region."""
    assert by_id(notebook)[name].source.endswith(
        "### BEGIN HIDDEN TESTS\n"
        f'import proctor; proctor.run_hidden_tests("custom_training_basics/{name}.py")\n'
        "### END HIDDEN TESTS"
    )


EXERCISE = {
    *("tf", "np", "plt", "x", "v", "Model", "TRUE_w", "TRUE_b", "NUM_EXAMPLES", "make_data", "xs", "ys", "plot_data"),
    *("model", "run_training", "list_w", "list_b", "losses", "plot_weights", "plot_loss_for_weights"),
}


def test_given_cells_take_no_name_of_the_students(notebook):
    """What a given cell binds is a name of the exercise, or starts with `_`: it may not replace a student's own."""
    taken = set()
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id not in SOLUTIONS:
            visible = cell.source.partition("### BEGIN HIDDEN TESTS")[0]
            symbols = symtable.symtable(visible, cell.id, "exec").get_symbols()
            taken |= {symbol.get_name() for symbol in symbols if symbol.is_assigned() or symbol.is_imported()}
    assert {name for name in taken if not name.startswith("_")} == EXERCISE


def test_the_address_in_colab_is_set_in_one_place(notebook):
    """The link and its address are in the first cell; docs/instructors.md tells what to write there."""
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert "[Open in Colab][colab]" in prose[0]
    assert re.findall(r"^\[colab\]: (\S+)$", prose[0], re.MULTILINE) == ["https://colab.research.google.com/"]
    assert "colab.research" not in "".join(prose[1:])


def test_the_formula_needs_no_network(notebook):
    """MathJax would be fetched from elsewhere: the loss stands there in plain characters."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "(predicted_y[i] - target_y[i])²" in prose
    assert "$" not in prose


def test_names_nothing_that_tensorflow_2_does_not_have(notebook):
    """The published lab names functions that are gone; students copy what they read."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert not re.search(r"tf\.(assign_sub|sub|train\.Optimizer)", prose)
    assert "mean squared error" in prose
    assert "variable.assign_sub(...)" in prose
