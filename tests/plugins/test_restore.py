"""What a cell is graded as is the release's to say, whatever the submission's metadata claim."""

from types import SimpleNamespace

import pytest
from nbconvert.exporters import NotebookExporter
from nbformat import ValidationError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from proctor.autograde.restore import SubmissionExporter, _repair

CELLS = {  # points, whether it is a solution, whether it is locked
    "essay": (5.0, True, False),
    "answer": (None, True, False),
    "test_answer": (3.0, False, True),
    "given": (None, False, True),
}


def released():
    """The gradebook's copy of a notebook with one cell of each kind, as far as it is asked."""
    sources = [
        SimpleNamespace(
            name=name,
            cell_type="markdown" if name == "essay" else "code",
            source=f"# {name}",
            locked=locked,
            checksum="x",
        )
        for name, (_, _, locked) in CELLS.items()
    ]
    return SimpleNamespace(
        name="n",
        source_cells=sources,
        grade_cells=[SimpleNamespace(name=name, max_score=points) for name, (points, *_) in CELLS.items() if points],
        solution_cells=[SimpleNamespace(name=name) for name, (_, solution, _) in CELLS.items() if solution],
        task_cells=[],
    )


def submitted(**claims):
    """The same notebook with the metadata that nbgrader had written, but for `claims` in every cell."""
    cells = []
    for name, (points, solution, locked) in CELLS.items():
        make = new_markdown_cell if name == "essay" else new_code_cell
        about = {"grade": points is not None, "solution": solution, "locked": locked, "task": False}
        about |= {"grade_id": name, "schema_version": 3, "checksum": "as submitted"}
        cells.append(make(f"# {name}", metadata={"nbgrader": {**about, **claims}}))
    return new_notebook(cells=cells)


@pytest.mark.parametrize(
    "claims",
    [{}, {"grade": False}, {"grade": True, "solution": False}, {"locked": False}, {"locked": True}, {"task": True},
     {"grade": "no", "solution": None}],
)  # fmt: skip
def test_claims_about_grading_are_put_right(claims):
    """An essay that says that it is not graded would get no points and no field for them; nobody would be told."""
    nb = submitted(**claims)
    _repair(nb, released())
    for cell, (name, (points, solution, locked)) in zip(nb.cells, CELLS.items(), strict=True):
        about = cell.metadata.nbgrader
        assert (about.grade_id, about.grade, about.solution, about.locked) == (name, bool(points), solution, locked)
        assert about.task is False
        assert about.checksum == "as submitted"


def test_a_notebook_is_written_as_nbconvert_writes_it():
    """To the byte: with every kind of output, letters of all languages, and metadata that nbformat leaves out."""
    data = {"image/png": "aGk=\n", "text/html": "<b>ä</b>\n<i>", "text/plain": "1\n2"}
    cells = [
        new_markdown_cell("# Größe\n\n漢字\n", attachments={"a.png": {"image/png": "aGk="}}),
        new_code_cell(
            "x = 1\nx",
            execution_count=1,
            metadata={"trusted": True, "nbgrader": {"b": 1, "a": 2}},
            outputs=[
                new_output("stream", text="a\nb\n"),
                new_output("display_data", data),
                new_output("error", ename="E", evalue="v", traceback=["t"]),
            ],
        ),
        new_code_cell(""),
    ]
    nb = new_notebook(cells=cells, metadata={"orig_nbformat": 4})
    assert SubmissionExporter().from_notebook_node(nb)[0] == NotebookExporter().from_notebook_node(nb)[0]


def test_a_notebook_that_a_step_has_broken_is_not_written():
    """It is validated behind all preprocessors."""
    exporter = SubmissionExporter()
    exporter.register_preprocessor(lambda nb, resources: (nb.cells[0].update(source=1), (nb, resources))[1], True)
    with pytest.raises(ValidationError):
        exporter.from_notebook_node(new_notebook(cells=[new_code_cell("x")]))
