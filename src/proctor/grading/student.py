"""One job: one student's submission, graded by stock nbgrader's Autograde, in a worker process.

Called by `proctor.grading.class_run` through an executor; takes and returns plain data, so that any executor will do.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from proctor.course import folders as courses
from proctor.course.folders import Course
from proctor.course.hand_in import refusal
from proctor.course.quiet import logged_exceptions
from proctor.errors import CourseError, DatabaseGone, KernelNotStarted, ProctorError, TookTooLong
from proctor.grading.last_stop import TIMES, within
from proctor.records import database, graded
from proctor.records.memory import fingerprint, forget, remember
from proctor.records.shared import shared_gradebook
from proctor.results.submission_result import SubmissionResult

TRIES = 3
NOT_IN_TIME = ("too slow", "no answer")  # of the kinds of `KernelNotStarted`


def grade_student(
    root: str, assignment: str, student: str, settings: Mapping[str, Any], common: str = "", alone: bool = True
) -> SubmissionResult:
    """Grade one submission and remember the outcome. Raises `RunStopped`, but never for what a submission contains.

    `settings` of ``c.ProctoredExecute`` go before those of the course. `common` is the digest of what decides every
    grade of the class, if it is known. Unless it is graded `alone`, a submission that others may have kept from its
    time is not remembered, so that it is graded again.
    """
    course = courses.load_once(Path(root))
    course.config.ProctoredExecute.update(settings)
    forget(course, assignment, student)
    reason = refusal(course, assignment, student)
    if reason:
        return SubmissionResult(student, error=reason)
    mark = fingerprint(course, assignment, student, common)
    about, notebooks = course.settings, len(course.notebooks(assignment)) or 1
    with within(TIMES * about.notebook_timeout * notebooks + about.database_timeout):
        result = _autograde(course, assignment, student)
    if not result.error and (alone or not result.crowded):
        remember(course, assignment, result, mark)
    return result


def grade_in(course: Course, assignment: str, student: str) -> SubmissionResult:
    """Grade one submission of a loaded `course`, whatever was remembered of it."""
    reason = refusal(course, assignment, student)
    return SubmissionResult(student, error=reason) if reason else _autograde(course, assignment, student)


def _autograde(course: Course, assignment: str, student: str) -> SubmissionResult:
    done = _run_nbgrader(course, assignment, student)
    if not done.success:
        folder = course.shown(course.folder("submitted", student, assignment))
        error = f"{folder}: could not be graded: {_reason(done)[:500]}"
        return SubmissionResult(student, error=error, log=done.log, out_of_time=any(map(_is_about_time, done.raised)))
    return replace(_read_graded(course, assignment, student), log=done.log)


@dataclass(frozen=True)
class _Autograded:
    """What a run of nbgrader's Autograde came to, with the exceptions that it logged."""

    success: bool
    error: str
    log: str
    raised: tuple[BaseException, ...]


def _run_nbgrader(course: Course, assignment: str, student: str) -> _Autograded:
    """Run nbgrader's Autograde, from the start when the database came back. Raises `DatabaseGone` if it does not."""
    for _ in range(TRIES):
        with database.watched() as (trouble, logged), courses.working_directory(course.root):
            api = course.api()
            with logged_exceptions(api.log) as raised, shared_gradebook(course.db_url()):
                result: dict[str, Any] = api.autograde(assignment, student, force=True, create=True)
        log = logged.getvalue() + str(result.get("log", ""))
        if result["success"] or not trouble:
            return _Autograded(result["success"], str(result.get("error", "")), log[-20_000:], tuple(raised))
        database.wait_for(course.db_url(), trouble[-1], course.settings.database_timeout)
    raise DatabaseGone(f"the gradebook's database comes and goes: {trouble[-1]}")


def _reason(done: _Autograded) -> str:
    """Why nbgrader gave up: ours in our words, another package's by its name, or else what nbgrader logged."""
    for error in reversed(done.raised):
        return str(error) if isinstance(error, ProctorError) else f"{type(error).__name__}: {error}"
    logged = re.findall(r"^\[ERROR\] (?!Traceback)(.*)$", done.log, re.MULTILINE)
    return str([*logged[:1], *done.error.strip().splitlines()[-1:], "nbgrader does not say why"][0])


def _is_about_time(error: BaseException) -> bool:
    return isinstance(error, TookTooLong) or (isinstance(error, KernelNotStarted) and error.kind in NOT_IN_TIME)


def _read_graded(course: Course, assignment: str, student: str) -> SubmissionResult:
    result = graded.read(course, assignment, student)
    if result is None:
        folder = course.folder("autograded", student, assignment)
        raise CourseError(f"{folder}: graded, but not by proctor: is ProctoredExecute in nbgrader_config.py?")
    return result
