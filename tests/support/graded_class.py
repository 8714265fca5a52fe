"""A graded class on disk without running a kernel: what nbgrader and proctor leave behind for the tiny course."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import tiny_course
from nbformat.v4 import new_output
from nbgrader.api import Gradebook

from proctor.course import folders as courses
from proctor.records import memory
from proctor.render.cell_outputs import as_outputs
from proctor.results import in_notebook
from proctor.results.flag import Flag
from proctor.results.submission_result import SubmissionResult
from proctor.results.verdict import CellVerdict, Item

DUE = datetime.datetime(2026, 11, 1, 12, 0)
CONFIG = """
c.GenerateFeedback.exporter_class = "proctor.FeedbackExporter"
"""
CELL = "test_double"
ASKED = (("test_values", "Twice the number, for any number.", 2.0), ("test_arrays", "Works on arrays, too.", 1.0))


@dataclass
class Graded:
    """One student's result: an outcome for each of the two hidden tests; `late` in hours; more cells for the notebook."""

    student: str
    outcomes: Sequence[str] = ("passed", "passed")
    messages: Sequence[str] = ("", "")
    flags: Sequence[Flag] = ()
    name: tuple[str, str] = ("", "")
    email: str = ""
    late: float = -1.0
    by_hand: float | None = None
    comment: str | None = None
    penalty: float | None = None
    cells: Sequence[Any] = field(default_factory=list)
    outputs: Sequence[Any] = ()
    solution: str = tiny_course.RIGHT

    @property
    def verdict(self) -> CellVerdict:
        """What the hidden tests found."""
        items = tuple(
            Item(name, asked, points, result, hint=message)
            for (name, asked, points), result, message in zip(ASKED, self.outcomes, self.messages, strict=True)
        )
        return CellVerdict(CELL, 3.0, items, tuple(self.flags))


def grade(root: Path, *results: Graded) -> None:
    """Put `results` into the released tiny course at `root`: files, gradebook and proctor's memory."""
    course = courses.load(root)
    for result in results:
        _write_files(root, result)
    with Gradebook(course.db_url(), "custom-training") as book:
        book.update_or_create_assignment(tiny_course.ASSIGNMENT, duedate=DUE)
        for result in results:
            _enter(book, result)
    for result in results:
        found = result.verdict
        flags = (*result.flags, *([Flag("undecided", CELL)] if found.undecided else []))
        mark = memory.fingerprint(course, tiny_course.ASSIGNMENT, result.student)
        memory.remember(course, tiny_course.ASSIGNMENT, SubmissionResult(result.student, (found,), flags), mark)


def _write_files(root: Path, result: Graded) -> None:
    tiny_course.submit(root, result.student, result.solution)
    nb = tiny_course.source_notebook()
    for cell in nb.cells:
        if cell.metadata.nbgrader.grade_id == "double":
            cell.source, cell.outputs = result.solution, list(result.outputs)
        if cell.metadata.nbgrader.grade_id == CELL:
            shown = new_output("stream", name="stdout", text="the visible checks said this\n")
            cell.outputs = [shown, *as_outputs(result.verdict)]
    nb.cells += list(result.cells)
    in_notebook.mark_executed(nb.metadata)
    folder = root / "autograded" / result.student / tiny_course.ASSIGNMENT
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, folder / f"{tiny_course.ASSIGNMENT}.ipynb")


def _enter(book: Gradebook, result: Graded) -> None:
    first, last = result.name
    book.update_or_create_student(result.student, first_name=first, last_name=last, email=result.email)
    at = DUE + datetime.timedelta(hours=result.late)
    submission = book.update_or_create_submission(tiny_course.ASSIGNMENT, result.student, timestamp=at)
    submission.notebooks[0].late_submission_penalty = result.penalty
    score = book.find_grade(CELL, tiny_course.ASSIGNMENT, tiny_course.ASSIGNMENT, result.student)
    score.auto_score, score.manual_score = result.verdict.points, result.by_hand
    score.needs_manual_grade = result.verdict.undecided and result.by_hand is None
    comment = book.find_comment("double", tiny_course.ASSIGNMENT, tiny_course.ASSIGNMENT, result.student)
    comment.manual_comment = result.comment
    book.db.commit()


def write_feedback(root: Path, student: str) -> Path:
    """Run nbgrader's own converter for one student."""
    course = courses.load(root)
    with courses.working_directory(root):
        done = course.api().generate_feedback(tiny_course.ASSIGNMENT, student, force=True)
    assert done["success"], done["log"]
    return course.folder("feedback", student, tiny_course.ASSIGNMENT) / "tiny.html"
