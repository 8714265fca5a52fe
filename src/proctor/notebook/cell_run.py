"""What running one cell came to: its outputs, reduced to text and pictures, and bounded.

Filled by `proctor.notebook.student_kernel` with what arrives from the student's process.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from nbformat import from_dict
from nbformat.v4 import new_output

from proctor.border import wire
from proctor.notebook.picture import pixels_of
from proctor.render import words

MAX_CELL_OUTPUT = 2 << 20
OUTPUT_COST = 500  # what an output takes beside its text
OUTPUT_WORK = 250  # the characters that cost a page as much as an output does
MAX_TEXT = 100_000
MAX_CHARACTERS = 500_000  # of a whole notebook's outputs
MAX_VALUE = 1_000  # of a result that is too large to be kept
MAX_FRAMES = 20  # of a traceback
IMAGES = ("image/png", "image/jpeg")
DECIDING = ("error", "execute_result")


End = Literal["ok", "error", "died", "too slow", "flood"]


@dataclass
class CellRun:
    """What running one cell came to. `end` is ``"ok"`` or ``"error"`` while the kernel is still there.

    `crowded`: when it ended for its time, others may have kept it from that.
    """

    end: End = "ok"
    outputs: list[Any] = field(default_factory=list)
    size: int = 0
    traffic: int = 0
    crowded: bool = False

    def add(self, output: Any, size: int) -> None:
        """Keep `output` while the cell is within its size; consecutive text of one stream is one output.

        What decides the points of an ordinary test cell, an error or its value, is kept; of a large one only that.
        """
        if output.output_type in DECIDING:
            self.outputs = [kept for kept in self.outputs if kept.output_type != output.output_type]
            if self.size + size > MAX_CELL_OUTPUT:
                output, size = slim(output), 0
            self.size += size
            self.outputs.append(output)
            return
        last = self.outputs[-1] if self.outputs else None
        if last is None or output.output_type != "stream" or last.output_type != "stream" or output.name != last.name:
            last, size = None, size + OUTPUT_COST
        if self.size + size > MAX_CELL_OUTPUT:
            return
        self.size += size
        if last is not None:
            last.text += output.text
        else:
            self.outputs.append(output)

    def clear(self) -> None:
        """Forget what was shown, as ``clear_output()`` asks; what decides points stays."""
        self.outputs = [output for output in self.outputs if output.output_type in DECIDING]

    def leave_out(self, remark: Any) -> None:
        """Keep nothing but `remark` and what decides points."""
        self.outputs = [remark, *(slim(output) for output in self.outputs if output.output_type in DECIDING)]

    @property
    def characters(self) -> int:
        """How much text there is in the outputs; each of them is work for a page by itself, too."""
        return sum(OUTPUT_WORK + _characters(output) for output in self.outputs)

    def ensure_error(self, name: str, text: str) -> None:
        """Have an error in the outputs of a cell that did not run to its end: without, nbgrader gives full points.

        A result from before the error is still shown, but nbgrader would take it for the points and look no further.
        """
        if self.end == "ok":
            return
        self.outputs = [only_shown(output) for output in self.outputs]
        if not any(output.output_type == "error" for output in self.outputs):
            self.outputs.append(new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"]))


def remark(text: str) -> Any:
    """A sentence of the grader's as an output."""
    return new_output("stream", name="stdout", text=words.in_cell(text))


def slim(output: Any) -> Any:
    """As much of an error or a result as decides points."""
    if output.output_type == "error":
        return new_output(
            "error", ename=output.ename, evalue=output.evalue, traceback=[f"{output.ename}: {output.evalue}"]
        )
    text = output.data.get("text/plain", "")[:MAX_VALUE]
    return new_output("execute_result", {"text/plain": text}, execution_count=output.execution_count)


def _characters(output: Any) -> int:
    if output.output_type == "stream":
        return len(output.text)
    if output.output_type == "error":
        return sum(map(len, output.traceback))
    return len(output.data.get("text/plain", ""))


def only_shown(output: Any) -> Any:
    """A result is shown as before, but nbgrader does not take it for points any more."""
    return new_output("display_data", output.data) if output.output_type == "execute_result" else output


def output_of(message: dict[str, Any]) -> tuple[Any, int]:
    """Return an output of the notebook format with text and pictures only, and its size; (None, 0) for anything else.

    HTML and scripts stay out: feedback and formgrader would run them in the instructor's browser.
    """
    kind = message["msg_type"]
    if kind == "stream" and message.get("name") in ("stdout", "stderr") and isinstance(message.get("text"), str):
        text = wire.text(message["text"][:MAX_TEXT])
        return _output("stream", name=message["name"], text=text), len(text)
    if kind == "error":
        lines = message.get("traceback")
        safe = [wire.text(str(line)[:5000]) for line in lines[-MAX_FRAMES:]] if isinstance(lines, list) else []
        name, value = wire.text(str(message.get("ename"))[:200]), wire.text(str(message.get("evalue"))[:2000])
        return _output("error", ename=name, evalue=value, traceback=safe), sum(map(len, safe))
    if kind in ("display_data", "execute_result") and isinstance(message.get("data"), dict):
        data = _plain_data(message["data"])
        more = {"execution_count": None} if kind == "execute_result" else {}
        return (_output(kind, metadata={}, data=data, **more), sum(map(len, data.values()))) if data else (None, 0)
    return None, 0


def _output(kind: str, **fields: Any) -> Any:
    """What nbformat's `new_output` makes, without its look at the schema: each field was looked at here."""
    return from_dict({"output_type": kind, **fields})


def _plain_data(data: dict[str, Any]) -> dict[str, str]:
    kept = {}
    if isinstance(data.get("text/plain"), str):
        kept["text/plain"] = wire.text(data["text/plain"][:MAX_TEXT])
    for kind in IMAGES:
        if isinstance(data.get(kind), str) and pixels_of(data[kind], [kind]):
            kept[kind] = data[kind]
    return kept
