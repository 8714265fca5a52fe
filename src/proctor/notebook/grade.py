"""One notebook from top to bottom: cells in the student's process, hidden tests beside it.

Called by the nbgrader preprocessor (`proctor.autograde.execute`). A kernel that ends, hangs or floods costs the cell or
the test that did it: the next one gets a new kernel in which the cells above that did no harm have been run again.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nbformat.v4 import new_output

from proctor.border.submission import Submission, scenario_source
from proctor.errors import CourseError, HiddenTestsBroken
from proctor.hidden_tests import run_line, session
from proctor.notebook import written
from proctor.notebook.process import Limits, NotebookProcess, refused
from proctor.notebook.student_kernel import Starter
from proctor.render import words
from proctor.render.cell_outputs import as_outputs
from proctor.repair import code as definitions
from proctor.results import in_notebook
from proctor.results.flag import Flag
from proctor.results.verdict import CellVerdict, Item

log = logging.getLogger(__name__)

ALL_TESTS = "The hidden tests of this exercise"


def grade_notebook(
    nb: Any,
    starter: Starter,
    grader_tests: Path,
    seed: int,
    limits: Limits,
    end: int | None = None,
    files: Path | None = None,
) -> list[CellVerdict]:
    """Execute `nb` in place, cell by cell, and put a verdict into each test cell that names a hidden test file.

    `starter` starts a kernel in which the student's code may run. Cells from position `end` on are left alone. Plain
    data that the notebook has written is put into `files`. Raises an `OurFault` when nothing could be graded: no
    kernel, or a cell that names a file that is not there.
    """
    run = [(cell, index) for index, cell in enumerate(nb.cells[:end]) if cell.cell_type == "code"]
    cells = [_CodeCell.of(cell, index, grader_tests) for cell, index in run]
    process = NotebookProcess(starter, limits, sum(cell.file is not None for cell in cells))

    def grade(run_file: session.RunFile) -> list[CellVerdict]:
        verdicts: list[CellVerdict] = []
        for number, cell in enumerate(cells, 1):
            all_right = all(above.points == above.max_points for above in verdicts)
            verdict = _grade_cell(cell, process, run_file, cells[number:], all_right)
            verdicts += [verdict] if verdict is not None else []
        return verdicts

    try:
        verdicts = _with_tests([cell.file for cell in cells if cell.file is not None], process, seed, grade)
        in_notebook.add_flags(nb.metadata, process.take_flags())  # of cells below the last hidden test
        if files is not None and process.is_running():
            written.bring(process.call, files)
        return verdicts
    finally:
        process.end()


def leave_undecided(nb: Any) -> None:
    """Leave `nb` unexecuted, with what the student's own outputs say, but for the cells with hidden tests of ours.

    What stands in the outputs of such a cell could be a verdict that the student wrote.
    """
    for cell in nb.cells:
        metadata = cell.metadata.get("nbgrader", {})
        graded = bool(metadata.get("grade")) and not metadata.get("solution") and cell.cell_type == "code"
        path = run_line.split(cell.source)[1] if graded else None
        if path is not None:
            item = Item(Path(path).stem, ALL_TESTS, float(metadata["points"]), "undecided")
            cell.outputs = as_outputs(CellVerdict(str(metadata["grade_id"]), item.max_points, (item,)))


@dataclass(frozen=True)
class _CodeCell:
    """A code cell: the part that its student sees, which is run, and the hidden test file that it names, if any.

    `number` counts all cells of the notebook from 1.
    """

    cell: Any
    number: int
    name: str
    visible: str
    file: Path | None
    graded: bool

    @classmethod
    def of(cls, cell: Any, index: int, grader_tests: Path) -> "_CodeCell":
        """Take a cell apart. Raises `CourseError` if it names a file that is not there."""
        metadata = cell.metadata.get("nbgrader", {})
        graded = bool(metadata.get("grade")) and not metadata.get("solution")
        name = str(metadata.get("grade_id") or index + 1)
        visible, path = run_line.split(cell.source) if graded else (cell.source, None)
        if path is None:  # hidden tests of nbgrader's own kind run in the notebook
            if graded and run_line.is_near_miss(cell.source):
                raise CourseError(
                    f"cell {name}: its hidden part is not the line that runs hidden tests, and nothing else"
                )
            return cls(cell, index + 1, name, cell.source, None, graded)
        return cls(cell, index + 1, name, visible, run_line.find(grader_tests, path), graded)


def _with_tests(
    files: list[Path], process: NotebookProcess, seed: int, work: Callable[[session.RunFile], list[CellVerdict]]
) -> list[CellVerdict]:
    """Call `work` with what runs a file of `files`: in one pytest session, unless they are in several folders."""

    def submission(folder: Path) -> Submission:
        return Submission(process.call, scenario_source(folder))

    folders = {file.parent for file in files}
    if len(folders) == 1:
        return session.session(files, submission(*folders), seed, work)
    return work(lambda file: session.run(file, submission(file.parent), seed))


def _grade_cell(
    code: _CodeCell,
    process: NotebookProcess,
    run_file: session.RunFile,
    below: Sequence[_CodeCell],
    all_right: bool,
) -> CellVerdict | None:
    """Run a cell, and its hidden tests if it has some.

    `below` are the cells that come later; `all_right`: the exercises above have full points.
    """
    cell, failed = code.cell, False
    if code.visible.strip():
        run = process.run_cell(code.visible, code.name)
        if code.graded and code.file is None:
            run.ensure_error("NotRun", words.NOT_TO_ITS_END)
        cell.outputs, failed = run.outputs, run.end == "error"
    if code.file is None:
        return None
    points = float(cell.metadata["nbgrader"]["points"])
    items = tuple(_told_where(item, below) for item in _judge(code.file, run_file, points))
    raised = (f"{item.fault.name}: {item.fault.quoted}" for item in items if item.fault is not None)
    flags = [Flag(kind, code.name, in_hidden_test=True) for kind in refused(raised)]
    misfits = [item.name for item in items if item.fault is not None and item.fault.kind == "misfit"]
    if misfits:
        flags.append(Flag("misfit", code.name, in_hidden_test=True, names=tuple(misfits)))
    if failed and all_right and all(item.outcome == "passed" for item in items):
        flags.append(
            Flag("contradiction", code.name)
        )  # a wrong function of an exercise above can fail these checks, too
    verdict = CellVerdict(code.name, points, items, (*process.take_flags(), *flags))
    process.next_exercise()
    cell.outputs = [_as_remark(output) for output in cell.outputs] + as_outputs(verdict)
    return verdict


def _judge(file: Path, run_file: session.RunFile, points: float) -> tuple[Item, ...]:
    try:
        items = run_file(file)
        total = sum(item.max_points for item in items)
        if total != points:
            raise HiddenTestsBroken(f"{file}: its tests add up to {total:g} points, the cell has {points:g}")
    except HiddenTestsBroken:
        log.exception("a test cell is undecided")
        return (Item(file.stem, ALL_TESTS, points, "undecided"),)
    return items


def _told_where(item: Item, below: Sequence[_CodeCell]) -> Item:
    """Say of a name that is missing which cell defines it, if only a later one does."""
    fault = item.fault
    if fault is None or fault.kind != "missing":
        return item
    there = (
        cell for cell in below if fault.name in definitions.defined(cell.visible) | definitions.assigned(cell.visible)
    )
    later = next(there, None)
    return item if later is None else replace(item, fault=replace(fault, line=later.number))


def _as_remark(output: Any) -> Any:
    """Make an output of the visible checks harmless to the score: nbgrader takes errors, stderr and results for it."""
    if output.output_type == "error":
        return new_output("stream", name="stdout", text=f"{output.ename}: {output.evalue}\n")
    if output.output_type == "stream":
        return new_output("stream", name="stdout", text=output.text)
    return new_output("display_data", output.data)
