"""One notebook from top to bottom: cells in the student's process, hidden tests beside it.

Called by the nbgrader preprocessor (`proctor.plugins.execute`). A kernel that ends, hangs or floods costs the cell or
the test that did it: the next one gets a new kernel in which the cells above that did no harm have been run again.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat.v4 import new_output

from proctor.border.submission import Submission, scenario_source
from proctor.errors import HiddenTestsBroken, KernelDied, StudentFault, TooSlow
from proctor.hidden_tests import session as hidden_tests
from proctor.notebook.student_kernel import CellRun, Starter, StudentKernel
from proctor.results import verdict
from proctor.results.verdict import CellVerdict, Item

log = logging.getLogger(__name__)

MAX_NOTES = 20  # of one test cell


@dataclass(frozen=True)
class Limits:
    """Seconds of wall clock for a cell, for one call of a hidden test, for a whole notebook.

    And for a whole notebook the kernels it may use up, and the bytes of `output` that are kept.
    """

    cell: float = 30.0
    call: float = 15.0
    notebook: float = 300.0
    kernels: int = 8
    output: int = 16 << 20


HARM: dict[str, Callable[[Limits], str]] = {
    "died": lambda limits: "ended its kernel",
    "too slow": lambda limits: f"was stopped after {limits.cell:g} seconds",
    "flood": lambda limits: "wrote too much output and was stopped",
}
# What the sandbox or a limit kept from a student's code, told by the exception: worth a look by a person.
REFUSED = {
    "ran out of memory": re.compile(r"MemoryError|ResourceExhaustedError"),
    "tried what the sandbox forbids": re.compile(r"PermissionError|Operation not permitted|name resolution"),
    "looked for a file that is not there": re.compile(r"FileNotFoundError|No such file or directory"),
}


class NotebookProcess:
    """The student's process over the length of a notebook: one kernel after another, as far as they are needed."""

    def __init__(self, starter: Starter, limits: Limits) -> None:
        self._starter = starter
        self._limits = limits
        self._kernel: StudentKernel | None = None
        self._harmless: list[str] = []
        self._started = 0
        self._deadline = time.monotonic() + limits.notebook
        self._notes: list[str] = []
        self._written = 0

    def run_cell(self, code: str, name: str) -> CellRun:
        """Run a cell of the notebook; remember it for the next kernel unless it did harm."""
        try:
            run = self._ready().run_cell(code, self._time_for(self._limits.cell))
        except StudentFault as fault:
            return CellRun("error", [_said(f"This cell was not run: {fault}.")])
        if run.end in HARM:
            self._kernel = None
            said = HARM[run.end](self._limits)
            self._notes.append(f"cell {name} {said}")
            run.outputs.append(_said(f"This cell {said}; grading went on in a new kernel without it."))
        else:
            self._harmless.append(code)
            raised = (f"{output.ename}: {output.evalue}" for output in run.outputs if output.output_type == "error")
            self._notes += [f"cell {name} {said}" for said in refused(raised)]
        self._written += run.size
        if self._written > self._limits.output:
            run.outputs = [_said("The notebook wrote too much: the outputs from here on are left out.")]
        return run

    def call(self, request: str) -> str:
        """Be the transport of a `Submission`."""
        limit = self._time_for(self._limits.call)
        try:
            return self._ready().call(request, limit)
        except (TooSlow, KernelDied) as fault:
            self._kernel = None
            self._notes.append(f"in a hidden test: {fault}")
            raise

    def take_notes(self) -> tuple[str, ...]:
        """What happened since the last call of this, without the rest of a flood."""
        notes, self._notes = tuple(self._notes[:MAX_NOTES]), []
        return notes

    def _ready(self) -> StudentKernel:
        if time.monotonic() > self._deadline:
            self.end()
            raise TooSlow(self._limits.notebook)
        if self._kernel is None:
            if self._started >= self._limits.kernels:
                raise KernelDied("it ended too often")
            self._started += 1
            self._kernel = StudentKernel.start(self._starter)
            self._replay()
        return self._kernel

    def _replay(self) -> None:
        """Bring a new kernel to where the last one was."""
        kernel = self._kernel
        assert kernel is not None
        for position, code in enumerate(self._harmless):
            if kernel.run_cell(code, self._time_for(self._limits.cell)).end in HARM:
                # It did no harm before and does now: leave it out, too, and start once more.
                del self._harmless[position]
                self._kernel = None
                self._ready()
                return

    def _time_for(self, limit: float) -> float:
        return max(0.5, min(limit, self._deadline - time.monotonic()))

    def end(self) -> None:
        """End the kernel, if there is one."""
        if self._kernel is not None:
            self._kernel.end()
            self._kernel = None


def refused(errors: Iterable[str]) -> list[str]:
    """Return what the grader kept from a student's code, by the errors that came of it, each once."""
    text = "\n".join(errors)
    return [said for said, pattern in REFUSED.items() if pattern.search(text)]


def _said(text: str) -> Any:
    return new_output("stream", name="stdout", text=f"[grader] {text}\n")


def grade_notebook(nb: Any, starter: Starter, grader_tests: Path, seed: int, limits: Limits) -> list[CellVerdict]:
    """Execute `nb` in place, cell by cell, and put a verdict into each test cell that names a hidden test file.

    `starter` starts a kernel in which the student's code may run. Raises an `OurFault` when nothing could be graded:
    no kernel, or a cell that names a file that is not there.
    """
    process = NotebookProcess(starter, limits)
    cells = [_CodeCell.of(cell, index, grader_tests) for index, cell in enumerate(nb.cells) if cell.cell_type == "code"]

    def grade(run_file: hidden_tests.RunFile) -> list[CellVerdict]:
        return [found for cell in cells if (found := _grade_cell(cell, process, run_file)) is not None]

    try:
        return _with_tests([cell.file for cell in cells if cell.file is not None], process, seed, grade)
    finally:
        process.end()


@dataclass(frozen=True)
class _CodeCell:
    """A code cell: the part that its student sees, which is run, and the hidden test file that it names, if any."""

    cell: Any
    name: str
    visible: str
    file: Path | None

    @classmethod
    def of(cls, cell: Any, index: int, grader_tests: Path) -> "_CodeCell":
        """Take a cell apart. Raises `CourseError` if it names a file that is not there."""
        about = cell.metadata.get("nbgrader", {})
        graded = bool(about.get("grade")) and not about.get("solution")
        visible, path = hidden_tests.split(cell.source) if graded else (cell.source, None)
        file = None if path is None else hidden_tests.find(grader_tests, path)
        return cls(cell, str(about.get("grade_id") or index + 1), visible, file)


def _with_tests(
    files: list[Path], process: NotebookProcess, seed: int, work: Callable[[hidden_tests.RunFile], list[CellVerdict]]
) -> list[CellVerdict]:
    """Call `work` with what runs a file of `files`: in one pytest session, unless they are in several folders."""

    def submission(folder: Path) -> Submission:
        return Submission(process.call, scenario_source(folder))

    folders = {file.parent for file in files}
    if len(folders) == 1:
        return hidden_tests.session(files, submission(*folders), seed, work)
    return work(lambda file: hidden_tests.run(file, submission(file.parent), seed))


def _grade_cell(code: _CodeCell, process: NotebookProcess, run_file: hidden_tests.RunFile) -> CellVerdict | None:
    cell = code.cell
    if code.visible.strip():
        cell.outputs = process.run_cell(code.visible, code.name).outputs
    if code.file is None:
        return None
    points = float(cell.metadata["nbgrader"]["points"])
    items = _judge(code.file, run_file, points)
    notes = [f"in a hidden test: your code {said}" for said in refused(item.message for item in items)]
    found = CellVerdict(code.name, points, items, (*process.take_notes(), *notes))
    cell.outputs = [_as_remark(output) for output in cell.outputs] + verdict.as_outputs(found)
    return found


def _judge(file: Path, run_file: hidden_tests.RunFile, points: float) -> tuple[Item, ...]:
    try:
        items = run_file(file)
        total = sum(item.max_points for item in items)
        if total != points:
            raise HiddenTestsBroken(f"{file}: its tests add up to {total:g} points, the cell has {points:g}")
    except HiddenTestsBroken:
        log.exception("a test cell is undecided")
        return (Item(file.stem, "The hidden tests of this exercise", points, "undecided", hidden_tests.UNDECIDED),)
    return items


def _as_remark(output: Any) -> Any:
    """Make an output of the visible checks harmless to the score: nbgrader takes errors, stderr and results for it."""
    if output.output_type == "error":
        return new_output("stream", name="stdout", text=f"{output.ename}: {output.evalue}\n")
    if output.output_type == "stream":
        return new_output("stream", name="stdout", text=output.text)
    return new_output("display_data", output.data)
