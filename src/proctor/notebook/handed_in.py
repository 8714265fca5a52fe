"""Cells that cannot change a score are not run again: they keep the outputs that were handed in, as text and pictures.

Called by the step that stands in nbgrader's Autograde (`proctor.autograde.execute`). The outputs come out of
a student's file and may be anything: they are bounded first, then reduced like those of a cell that was run.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from nbformat.v4 import new_output

from proctor.hidden_tests.run_line import same_text
from proctor.notebook.cell_run import (
    IMAGES,
    MAX_CELL_OUTPUT,
    MAX_CHARACTERS,
    MAX_TEXT,
    CellRun,
    only_shown,
    output_of,
    remark,
)
from proctor.render import words

MAX_OUTPUTS = 1000  # of one cell
MAX_LINES = 100_000  # of one output; each is a string of its own in the file

HandedIn = Mapping[str, tuple[str, Sequence[Any]]]


def ungraded_from(cells: Sequence[Any]) -> int:
    """Position from which on no cell can change a score; the number of cells if there is none.

    Graded is what a test or a person gives points for. Below a task everything may be: its answer stands in cells that
    the student adds.
    """
    end = 0
    for number, cell in enumerate(cells, 1):
        metadata = cell.metadata.get("nbgrader", {})
        if metadata.get("task"):
            return len(cells)
        if metadata.get("grade"):
            end = number
    return end


def keep_outputs(cells: Sequence[Any], handed_in: HandedIn, room: int) -> None:
    """Give `cells`, which are not run, the outputs of the same cells in `handed_in`, and say so in each of them.

    `handed_in` has the text and the outputs of each code cell by the cell's id. A cell whose text is another one now
    keeps nothing: it did not write that. `room`: bytes for all of them together.
    """
    characters = MAX_CHARACTERS
    for cell in cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        source, outputs = handed_in.get(str(cell.get("id")), ("", ()))
        kept = _reduced(outputs, _to_look_at) if same_text(source, cell.source) else CellRun()
        room, characters = room - kept.size, characters - kept.characters
        if min(room, characters) < 0:
            kept.leave_out(remark(words.LEFT_OUT))
        cell.outputs = [remark(words.not_run_again(bool(kept.outputs))), *kept.outputs]


def count_outputs(cells: Sequence[Any], handed_in: HandedIn, room: int) -> None:
    """Give `cells` the outputs that they were handed in with, for nbgrader to count: ``autograde --no-execute``."""
    characters = MAX_CHARACTERS
    for cell in cells:
        if cell.cell_type != "code":
            continue
        kept = _reduced(handed_in.get(str(cell.get("id")), ("", ()))[1], lambda output: output)
        room, characters = room - kept.size, characters - kept.characters
        if min(room, characters) < 0:
            kept.leave_out(remark(words.LEFT_OUT))
        cell.outputs = kept.outputs


def _reduced(outputs: Sequence[Any], form: Callable[[Any], Any]) -> CellRun:
    """Reduce outputs as a file has them to text and pictures in this `form`, within what one cell may write."""
    run = CellRun()
    for raw in islice(outputs, MAX_OUTPUTS):
        output, size = output_of(_as_message(raw)) if isinstance(raw, dict) else (None, 0)
        if output is not None:
            if output.output_type == "execute_result" and type(raw.get("execution_count")) is int:
                output.execution_count = max(0, raw["execution_count"])
            run.add(form(output), size)
    return run


def _as_message(raw: dict[str, Any]) -> dict[str, Any]:
    """An output of a file as a kernel would have sent it; a text in lines is one text, and what is too long is cut."""
    data = raw.get("data")
    shown = {kind: _joined(data.get(kind)) for kind in ("text/plain", *IMAGES)} if isinstance(data, dict) else {}
    fits = {kind: text for kind, text in shown.items() if len(text) <= MAX_CELL_OUTPUT or kind == "text/plain"}
    return {
        "msg_type": raw.get("output_type"),
        "name": raw.get("name"),
        "text": _joined(raw.get("text")),
        "data": {kind: text for kind, text in fits.items() if text},
        "ename": _joined(raw.get("ename")),
        "evalue": _joined(raw.get("evalue")),
        "traceback": _joined(raw.get("traceback"), "\n").splitlines(),
    }


def _joined(text: Any, between: str = "") -> str:
    lines = text[:MAX_LINES] if isinstance(text, list) else [text]
    return between.join(line for line in lines if isinstance(line, str))


def _to_look_at(output: Any) -> Any:
    """Something to look at: a value or an error of before is none now, and an error is kept as its text."""
    if output.output_type == "error":
        text = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
        return new_output("stream", name="stdout", text=f"{text[:MAX_TEXT]}\n")
    return only_shown(output)
