"""Everything about one assignment that nbgrader's gradebook knows, in a few queries.

Called by all who ask for scores: the class table, the report, the exports, the tour. nbgrader's own objects ask the
database once for each property: for a class of 1,000 that is minutes.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nbgrader.api as db
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from proctor.course.folders import Course
from proctor.dates.extensions import Extension


@dataclass(frozen=True)
class Student:
    """A student of the gradebook, or one who has only handed in (then only `id` is known)."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""

    @property
    def name(self) -> str:
        """``Last, First``, or ``""`` if nobody has entered a name."""
        return ", ".join(part for part in (self.last_name, self.first_name) if part)


@dataclass(frozen=True)
class Grade:
    """The score of one cell: a person's, or else the tests', with extra credit. None: nobody has graded it."""

    score: float | None
    automatic: float | None
    by_hand: bool
    needs_review: bool


@dataclass
class HandIn:
    """What is known of one student's submission; `grades` by exercise, `penalty` in points, times in UTC."""

    timestamp: datetime | None
    duedate: datetime | None
    penalty: float = 0.0
    grades: dict[str, Grade] = field(default_factory=dict)

    @property
    def late(self) -> timedelta:
        """How late it was handed in; zero without a due date."""
        if self.timestamp is None or self.duedate is None:
            return timedelta(0)
        return max(self.timestamp - self.duedate, timedelta(0))

    @property
    def needs_review(self) -> bool:
        """True if a person has to grade something."""
        return any(grade.needs_review for grade in self.grades.values())

    @property
    def graded(self) -> bool:
        """True if there is any score."""
        return any(grade.score is not None for grade in self.grades.values())

    @property
    def score(self) -> float:
        """Points after the late penalty, never below zero: as in nbgrader's own export."""
        return max(0.0, sum(grade.score or 0.0 for grade in self.grades.values()) - self.penalty)


@dataclass
class Records:
    """One assignment: `exercises` are its graded cells and their points, in the notebook's order."""

    exercises: dict[str, float] = field(default_factory=dict)
    students: dict[str, Student] = field(default_factory=dict)
    submissions: dict[str, HandIn] = field(default_factory=dict)
    duedate: datetime | None = None

    @property
    def max_score(self) -> float:
        """Points that can be had."""
        return sum(self.exercises.values())


@contextlib.contextmanager
def _session(course: Course) -> Iterator[Any]:
    """Open the gradebook; None if there is none yet: nbgrader would make one."""
    url = make_url(course.db_url())
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        yield None
        return
    with db.Gradebook(course.db_url(), str(course.config.get("CourseDirectory", {}).get("course_id", ""))) as book:
        yield book.db


def read(course: Course, assignment: str) -> Records:
    """Read the gradebook of `course`. One that does not exist yet is empty, and stays away."""
    with _session(course) as session:
        return read_from(session, course, assignment) if session is not None else Records()


def student_ids(course: Course) -> frozenset[str]:
    """Ids of all students whom the gradebook knows; none if there is no gradebook yet."""
    with _session(course) as session:
        found = session.execute(select(db.Student.id)) if session is not None else ()
        return frozenset(str(row[0]) for row in found)


def extensions(course: Course) -> list[Extension]:
    """Return the extensions that somebody has entered in the gradebook itself."""
    table = db.SubmittedAssignment
    query = (
        select(table.student_id, db.Assignment.name, table.extension)
        .join(db.Assignment, table.assignment_id == db.Assignment.id)
        .where(table.extension.is_not(None))
    )
    with _session(course) as session:
        found = session.execute(query) if session is not None else ()
        return [
            Extension.of(str(student), str(name), f"{length.total_seconds() / 60:.0f} minutes")
            for student, name, length in found
        ]


def released(course: Course, assignment: str) -> list[tuple[Any, ...]]:
    """Return the gradebook's own copy of the released notebooks, by which nbgrader grades; empty before a release."""
    source, points = db.SourceCell, db.GradeCell.max_score
    query = (
        select(db.Notebook.name, source.name, source.cell_type, source.source, source.locked, points)
        .join(db.Notebook, source.notebook_id == db.Notebook.id)
        .join(db.Assignment, db.Notebook.assignment_id == db.Assignment.id)
        .outerjoin(db.GradeCell, (db.GradeCell.notebook_id == db.Notebook.id) & (db.GradeCell.name == source.name))
        .where(db.Assignment.name == assignment)
    )
    with _session(course) as session:
        return sorted((tuple(row) for row in session.execute(query)), key=str) if session is not None else []


def drop_empty_submissions(book: Any, assignment: str) -> None:
    """Remove submissions of an assignment that has no notebooks yet: they hold nothing and would block its release.

    nbgrader enters a submission before it looks for the notebooks, and then refuses to generate the assignment.
    """
    found = book.find_assignment(assignment)
    for submission in list(found.submissions) if not found.notebooks else ():
        book.remove_submission(assignment, submission.student.id)


def read_from(session: Any, course: Course, assignment: str) -> Records:
    """Read from an open session of nbgrader's gradebook."""
    duedate = session.execute(select(db.Assignment.duedate).where(db.Assignment.name == assignment)).scalar()
    records = Records(_exercises(session, course, assignment), _students(session), {}, duedate)
    for student, timestamp, extension, penalty in session.execute(_submissions(assignment)):
        due = duedate + extension if duedate is not None and extension is not None else duedate
        records.submissions[student] = HandIn(timestamp, due, float(penalty or 0.0))
    for student, notebook, cell, auto, manual, extra, review in session.execute(_grades(assignment)):
        score = auto if manual is None else manual
        score = None if score is None else score + (extra or 0.0)
        name = cell if cell in records.exercises else f"{notebook}/{cell}"
        records.submissions[student].grades[name] = Grade(score, auto, manual is not None, bool(review))
    return records


def _students(session: Any) -> dict[str, Student]:
    table = db.Student
    columns = (table.id, table.first_name, table.last_name, table.email, table.lms_user_id)
    return {row[0]: Student(*(value or "" for value in row)) for row in session.execute(select(*columns))}


def _exercises(session: Any, course: Course, assignment: str) -> dict[str, float]:
    """Return the points of each graded cell; two notebooks may use one name, then the notebook's stands before it."""
    found: list[tuple[str, str, float]] = []
    for cells in (db.GradeCell, db.TaskCell):
        query = (
            select(db.Notebook.name, cells.name, cells.max_score)
            .join(db.Notebook, cells.notebook_id == db.Notebook.id)
            .join(db.Assignment, db.Notebook.assignment_id == db.Assignment.id)
            .where(db.Assignment.name == assignment)
        )
        found += [(str(notebook), str(name), float(points)) for notebook, name, points in session.execute(query)]
    repeated = repeated_names(course, assignment)
    order = _order(course, assignment)
    found.sort(key=lambda row: (order.get(row[:2], len(order)), row))
    return {f"{notebook}/{name}" if name in repeated else name: points for notebook, name, points in found}


def repeated_names(course: Course, assignment: str) -> frozenset[str]:
    """Grade ids that more than one notebook of the assignment has: the notebook's name is put before them."""
    counts = Counter(name for _, name in _order(course, assignment))
    return frozenset(name for name, count in counts.items() if count > 1)


def _order(course: Course, assignment: str) -> dict[tuple[str, str], int]:
    """Return where each cell stands in the source notebooks: the gradebook does not know."""
    order: dict[tuple[str, str], int] = {}
    for path in sorted(course.folder("source", ".", assignment).glob("*.ipynb")):
        with contextlib.suppress(OSError, ValueError):
            for cell in json.loads(path.read_bytes()).get("cells", []):
                grade_id = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
                order.setdefault((path.stem, str(grade_id)), len(order))
    return order


def _submissions(assignment: str) -> Any:
    table = db.SubmittedAssignment
    return (
        select(
            table.student_id, table.timestamp, table.extension, func.sum(db.SubmittedNotebook.late_submission_penalty)
        )
        .join(db.Assignment, table.assignment_id == db.Assignment.id)
        .outerjoin(db.SubmittedNotebook, db.SubmittedNotebook.assignment_id == table.id)
        .where(db.Assignment.name == assignment)
        .group_by(table.id, table.student_id, table.timestamp, table.extension)
    )


def _grades(assignment: str) -> Any:
    grade = db.Grade
    columns = (grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade)
    return (
        select(db.SubmittedAssignment.student_id, db.Notebook.name, db.BaseCell.name, *columns)
        .join(db.BaseCell, grade.cell_id == db.BaseCell.id)
        .join(db.SubmittedNotebook, grade.notebook_id == db.SubmittedNotebook.id)
        .join(db.Notebook, db.SubmittedNotebook.notebook_id == db.Notebook.id)
        .join(db.SubmittedAssignment, db.SubmittedNotebook.assignment_id == db.SubmittedAssignment.id)
        .join(db.Assignment, db.SubmittedAssignment.assignment_id == db.Assignment.id)
        .where(db.Assignment.name == assignment)
    )
