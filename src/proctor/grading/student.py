"""One job: one student's submission, graded by stock nbgrader's Autograde, in a worker process.

Called by `proctor.grading.class_run` through an executor; takes and returns plain data, so that any executor will do.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from proctor.course import database, graded
from proctor.course import folders as courses
from proctor.course.folders import Course
from proctor.course.hand_in import refusal
from proctor.course.memory import fingerprint, forget, remember
from proctor.errors import CourseError, DatabaseGone
from proctor.results.submission_result import SubmissionResult

TRIES = 3


@cache
def _course(root: Path) -> Course:
    return courses.load(root)


def grade_student(root: str, assignment: str, student: str, settings: Mapping[str, Any]) -> SubmissionResult:
    """Grade one submission and remember the outcome. Raises `RunStopped`, but never for what a submission contains.

    `settings` of ``c.ProctoredExecute`` go before those of the course.
    """
    course = _course(Path(root))
    course.config.ProctoredExecute.update(settings)
    forget(course, assignment, student)
    reason = refusal(course, assignment, student)
    if reason:
        return SubmissionResult(student, error=reason)
    mark = fingerprint(course, assignment, student)
    result = _autograde(course, assignment, student)
    if not result.error:
        remember(course, assignment, result, mark)
    return result


def grade_in(course: Course, assignment: str, student: str) -> SubmissionResult:
    """Grade one submission of a loaded `course`, whatever was remembered of it."""
    reason = refusal(course, assignment, student)
    return SubmissionResult(student, error=reason) if reason else _autograde(course, assignment, student)


def _autograde(course: Course, assignment: str, student: str) -> SubmissionResult:
    result = _run_nbgrader(course, assignment, student)
    log = str(result.get("log", ""))[-20_000:]
    if not result["success"]:
        return SubmissionResult(student, error=_reason(course, assignment, student, log, str(result["error"])), log=log)
    return replace(_read_graded(course, assignment, student), log=log)


def _run_nbgrader(course: Course, assignment: str, student: str) -> dict[str, Any]:
    """Run nbgrader's Autograde, from the start when the database came back. Raises `DatabaseGone` if it does not."""
    for _ in range(TRIES):
        with database.watched() as (trouble, logged), courses.working_directory(course.root):
            result: dict[str, Any] = course.api().autograde(assignment, student, force=True, create=True)
        result["log"] = logged.getvalue() + str(result.get("log", ""))
        if result["success"] or not trouble:
            return result
        database.wait_for(course.db_url(), trouble[-1], course.settings.database_timeout)
    raise DatabaseGone(f"the gradebook's database comes and goes: {trouble[-1]}")


def _reason(course: Course, assignment: str, student: str, log: str, error: str) -> str:
    folder = course.shown(course.folder("submitted", student, assignment))
    raised = re.findall(r"^\s*(?:[a-z_]\w*\.)*([A-Z]\w*: .*)$", log, re.MULTILINE)
    logged = re.findall(r"^\[ERROR\] (?!Traceback)(.*)$", log, re.MULTILINE)
    reason = [*raised[-1:], *logged[:1], *error.strip().splitlines()[-1:]][0]
    return f"{folder}: could not be graded: {reason[:500]}"


def _read_graded(course: Course, assignment: str, student: str) -> SubmissionResult:
    result = graded.read(course, assignment, student)
    if result is None:
        folder = course.folder("autograded", student, assignment)
        raise CourseError(f"{folder}: graded, but without a verdict: is ProctoredExecute in nbgrader_config.py?")
    return result
