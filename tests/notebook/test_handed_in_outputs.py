"""Outputs that were handed in are a student's file: of whatever form, they become text and pictures, within bounds."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.utils import determine_grade

from proctor.notebook.cell_run import MAX_CELL_OUTPUT
from proctor.notebook.handed_in import MAX_OUTPUTS, count_outputs, keep_outputs, ungraded_from
from proctor.render import words
from proctor.repair.read import notebook_of, outputs_of
from proctor.results import in_notebook

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SOURCE = "print(1)"
ROOM = 16 << 20


def stream(text, **more):
    return {"output_type": "stream", "name": "stdout", "text": text, **more}


def display(kind="display_data", **data):
    return {"output_type": kind, "data": {name.replace("_", "/"): value for name, value in data.items()}}


def kept(*outputs, source=SOURCE, room=ROOM):
    """What a cell shows that was handed in with `outputs`, without the line that says so."""
    cell = new_code_cell(SOURCE, id="one")
    keep_outputs([cell], {"one": (source, outputs)}, room)
    nbformat.validate(new_notebook(cells=[cell]))
    assert cell.outputs[0].text.startswith("[grader] Not run")
    return cell.outputs[1:]


def said(*outputs, **more):
    """The same as text."""
    return "".join(one.get("text") or one.data["text/plain"] for one in kept(*outputs, **more))


def test_text_and_pictures_stay_as_they_were():
    """Text in one piece or in lines, a value, and a picture as nbformat breaks it."""
    picture = f"{PNG[:40]}\n{PNG[40:]}"
    found = kept(
        stream(["a\n", "b"]), display("execute_result", text_plain=["4", "2"]), display(image_png=[picture, "\n"])
    )
    assert found[0].text == "a\nb"
    assert found[1].data["text/plain"] == "42"
    assert found[2].data["image/png"] == f"{picture}\n"


def test_an_error_is_its_text():
    """Neither an error nor a value is one to nbgrader any more: it looks for both in graded cells."""
    error = {"output_type": "error", "ename": "E", "evalue": "why", "traceback": ["Traceback", "\x1b[31mE: why"]}
    found = kept(error, {**error, "traceback": []}, display("execute_result", text_plain="7"))
    assert {one.output_type for one in found} == {"stream", "display_data"}
    assert found[0].text == "Traceback\n\x1b[31mE: why\nE: why\n"
    about = {"grade": True, "solution": False, "points": 7, "grade_id": "x"}
    assert determine_grade(new_code_cell(SOURCE, metadata={"nbgrader": about}, outputs=found)) == (7, 7)


def test_nothing_but_text_and_pictures():
    """No HTML, script, SVG, widget, or verdict of ours, be it beside text; a picture is base64 and nothing else."""
    widget = "application/vnd.jupyter.widget-view+json"
    data = {
        "text/html": "<script>",
        "application/javascript": "alert(1)",
        "image/svg+xml": "<svg onload=alert(1)>",
        "image/png": '" onerror="alert(1)',
        "image/jpeg": {"a": 1},
        "text/latex": "$x$",
        widget: {"model_id": "x"},
        in_notebook.MIME: {"grade_id": "x"},
        "text/plain": "a figure",
    }
    (output,) = kept({"output_type": "display_data", "data": data, "metadata": {"isolated": True, "tags": ["x"]}})
    assert output == {"output_type": "display_data", "data": {"text/plain": "a figure"}, "metadata": {}}
    del data["text/plain"]
    assert kept({"output_type": "display_data", "data": data}) == []


ODD = [
    None,
    3,
    "x",
    [],
    {},
    {"output_type": ["stream"]},
    {"output_type": "stream", "name": "stdout"},
    {"output_type": "stream", "name": "stdin", "text": "x"},
    {"output_type": "stream", "name": ["stdout"], "text": "x"},
    {"output_type": "stream", "name": "stdout", "text": {"a": 1}},
    {"output_type": "display_data", "data": ["text/plain"]},
    {"output_type": "execute_result", "data": {"text/plain": 3, "image/png": [1, None]}},
    {"output_type": "update_display_data", "data": {"text/plain": "x"}},
    {"output_type": "pyout", "text": ["x"]},
]


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_output_leaves_out_itself(odd):
    """Whatever stands where an output should: the others stay."""
    assert said(stream("a"), odd, stream("b")).replace("None", "") == "ab"


def test_an_error_of_any_form_is_text():
    """Fields that are missing, or are no text."""
    for traceback in (None, 3, [3, None], {"a": 1}, "one text"):
        assert said({"output_type": "error", "ename": 3, "traceback": traceback}).strip() in (":", "one text")


def test_halves_of_characters_do_not_stay():
    """A surrogate is legal in JSON, and no file can hold it."""
    said(stream("x\ud83d"), display(text_plain="\udfff")).encode()


def test_outputs_are_bounded():
    """By number, by size in a cell, by length of a text, by size of a picture; the rest of the notebook is not lost."""
    assert len(kept(*[stream(str(i), name=("stdout", "stderr")[i % 2]) for i in range(3000)])) == MAX_OUTPUTS
    assert len(said(stream("x" * 10**6))) == 100_000
    assert len(said(*[display(text_plain="x" * 90_000)] * 100)) <= MAX_CELL_OUTPUT
    assert len(said({"output_type": "error", "traceback": ["x" * 10_000] * 1000})) <= 100_001
    large = "A" * (MAX_CELL_OUTPUT + 4)
    assert said(display("execute_result", image_png=large, text_plain="large"), stream("after")) == "largeafter"


def test_all_cells_together_are_bounded():
    """As what a whole notebook writes: the outputs from there on are left out, and a line says so."""
    cells = [new_code_cell(SOURCE, id=str(number)) for number in range(3)]
    keep_outputs(cells, {str(number): (SOURCE, [stream("x" * 600)]) for number in range(3)}, room=2500)
    assert [words.LEFT_OUT in json.dumps(cell.outputs) for cell in cells] == [False, False, True]
    assert ["xxx" in json.dumps(cell.outputs) for cell in cells] == [True, True, False]


def test_a_cell_whose_text_is_another_one_now_shows_nothing():
    """A given cell was put back: what the student's version wrote does not stand below the author's text."""
    assert kept(stream("forged"), source="print(2)") == []
    assert said(stream("right"), source=f"\n{SOURCE}  \n") == "right"


def test_the_line_says_whether_something_was_handed_in():
    """A cell that was never run says that it was not run, and one without code says nothing."""
    cells = [new_code_cell("x = 1", id="a"), new_code_cell(" ", id="b"), new_markdown_cell("text"), new_code_cell("y")]
    keep_outputs(cells, {"a": ("x = 1", [stream("x")]), "b": (" ", [stream("x")])}, ROOM)
    lines = ["".join(output.text for output in cell.get("outputs", [])) for cell in cells]
    assert lines == [
        "[grader] Not run again: nothing from here on is graded. These are the outputs that were handed in.\nx",
        "",
        "",
        "[grader] Not run: nothing from here on is graded.\n",
    ]


@pytest.mark.parametrize(
    ("output", "points"),
    [
        ({"output_type": "error", "ename": "E", "evalue": "", "traceback": []}, 0),
        (display("execute_result", text_plain="0.5") | {"execution_count": 3}, 0.5),
        (display("execute_result", text_plain="0.5") | {"execution_count": "x"}, 0.5),
        (stream("x"), 4),
    ],
)
def test_without_execution_outputs_count_as_handed_in(output, points):
    """``nbgrader autograde --no-execute``: an error costs, a value is partial credit, whatever the source is now."""
    metadata = {"nbgrader": {"grade": True, "solution": False, "points": 4, "grade_id": "x"}}
    cells = [new_markdown_cell("x", id="0"), new_code_cell(SOURCE, id="1", metadata=metadata)]
    count_outputs(cells, {"0": ("x", [output]), "1": ("before", [output])}, ROOM)
    nbformat.validate(new_notebook(cells=cells))
    assert determine_grade(cells[1]) == (points, 4)


def about(**more):
    return {"nbgrader": {"grade": False, "solution": False, "task": False, "grade_id": "x", **more}}


TESTS, BY_HAND = about(grade=True), about(grade=True, solution=True)
SHAPES = {
    "a test": ([about(), TESTS, about(), {}], 2),
    "a written answer below it": ([TESTS, {}, BY_HAND, {}], 3),
    "a solution that nobody grades": ([TESTS, about(solution=True)], 1),
    "a task: its answer is in the cells below": ([TESTS, about(task=True), {}, about()], 4),
    "a task above a test": ([about(task=True), {}, TESTS, {}], 4),
    "nothing graded": ([about(), {}], 0),
    "no cells": ([], 0),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_where_grading_ends(shape):
    """Below the last cell that a test or a person gives points for; where that is open, at the end."""
    metadata, end = SHAPES[shape]
    assert ungraded_from([new_code_cell("x", metadata=one) for one in metadata]) == end


def test_outputs_go_by_the_ids_that_the_notebook_gets():
    """Also where the file has none, or the same twice; text cells have no outputs whatever they say."""
    cell = {"cell_type": "code", "metadata": {}, "source": ["a\r\n", "b"], "outputs": [stream("x")]}
    cells = [{**cell, "id": "a"}, {**cell, "id": "a"}, cell, {**cell, "outputs": 3}, {**cell, "cell_type": "markdown"}]
    content = json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 4}).encode("utf-16")
    nb = notebook_of(content)
    found = outputs_of(content)
    assert list(found) == [one.id for one in nb.cells[:3]]
    assert set(map(repr, found.values())) == {repr((nb.cells[0].source, [stream("x")]))}
    assert not any(one.outputs for one in nb.cells[:4])
