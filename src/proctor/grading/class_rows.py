"""The class after a run: what the gradebook has of each student, with what is to be known of the submission.

Called by ``proctor grade``. The gradebook knows what a person has set by hand, and what lateness costs.
"""

from collections.abc import Iterable

from proctor.course.folders import Course
from proctor.records import gradebook
from proctor.records.gradebook import HandIn
from proctor.results import collected
from proctor.results.class_row import ClassRow
from proctor.results.flag import Flag
from proctor.results.submission_result import SubmissionResult


def class_rows(course: Course, assignment: str, results: Iterable[SubmissionResult]) -> list[ClassRow]:
    """Return a row for each of `results`, sorted by the student's id."""
    records = gradebook.read(course, assignment)
    marked = {student for student, one in collected.read(course.state, assignment).items() if one.late}
    rows = []
    for result in sorted(results, key=lambda result: result.student):
        entry = records.submissions.get(result.student, HandIn(None, None))
        late = (Flag("late unknown"),) if result.student in marked and entry.timestamp is None else ()
        flags = (*late, *result.flags)
        if result.error or not entry.grades:
            rows.append(ClassRow(result.student, flags=flags))
            continue
        points = {name: entry.grades[name].score if name in entry.grades else 0.0 for name in records.exercises}
        by_hand = frozenset(name for name, grade in entry.grades.items() if grade.by_hand)
        rows.append(ClassRow(result.student, points, entry.score, records.max_score, by_hand, entry.penalty, flags))
    return rows
