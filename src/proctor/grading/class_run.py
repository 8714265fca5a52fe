"""A whole class: who is to be graded, the executor that does it, and what came of each.

Knows nothing of TensorFlow or kernels. A job is `proctor.grading.student.grade_student`, and any
``concurrent.futures.Executor`` can run it: processes on this machine (`proctor.executors.pool`) or a cluster's.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from proctor.course.folders import Course
from proctor.course.quiet import captured_logs
from proctor.course.submitted_folder import no_submission
from proctor.errors import CourseError, OurFault, RunStopped, TookTooLong
from proctor.grading.student import grade_student
from proctor.records import database
from proctor.records.gradebook import drop_empty_submissions
from proctor.records.memory import fingerprint, forget_all, in_common, recall
from proctor.results.submission_result import SubmissionResult

TRIES = 2
# What grading some submissions once more, alone, may take: a share of what the class took, or of a cell's limit.
AGAIN_OF_CLASS = 0.25
AGAIN_OF_CELL = 5.0
MakeExecutor = Callable[[int], Executor]


@dataclass
class ClassRun:
    """What a run is about: `skipped` are unchanged since they were graded, `todo` are left to do.

    `settings` of ``c.ProctoredExecute`` hold for this run only. `common`: digest of what decides every grade.
    """

    course: Course
    assignment: str
    todo: list[str]
    skipped: list[SubmissionResult] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    common: str = ""


def plan(course: Course, assignment: str, students: Sequence[str] = (), force: bool = False) -> ClassRun:
    """Decide who is to be graded. Raises `CourseError` for an unknown student and for a class without submissions."""
    there = course.students(assignment)
    unknown = sorted(set(students) - set(there))
    submitted = course.folder("submitted", ".", ".")
    if unknown:
        raise CourseError(f"{submitted}: no submission of {assignment} by {', '.join(unknown)}")
    if not there:
        raise CourseError(f"{submitted}: no submissions of {assignment}; expected {submitted}/<student>/{assignment}/")
    in_gradebook = graded_students(course, assignment)
    if force:
        forget_all(course, assignment, students or there)
    run = ClassRun(course, assignment, [], common=in_common(course, assignment))
    for student in students or there:
        done = None
        graded = student in in_gradebook and course.folder("autograded", student, assignment).is_dir()
        if graded and not no_submission(course.folder("submitted", student, assignment), student):
            done = recall(course, assignment, student, fingerprint(course, assignment, student, run.common))
        if done is None:
            run.todo.append(student)
        else:
            run.skipped.append(done)
    return run


def graded_students(course: Course, assignment: str) -> set[str]:
    """Ids of the students whose submission of `assignment` is in the gradebook.

    Raises `CourseError` if the gradebook is damaged or belongs to another version of nbgrader.
    """
    from nbgrader.api import Gradebook, MissingEntry

    try:
        with captured_logs(*database.LOGGERS), Gradebook(course.db_url()) as gradebook:
            if not gradebook.find_assignment(assignment).notebooks:
                drop_empty_submissions(gradebook, assignment)
                raise MissingEntry
            database.add_indexes(gradebook.engine)
            return {submission.student_id for submission in gradebook.assignment_submissions(assignment)}
    except MissingEntry:
        raise CourseError(
            f"the gradebook does not know {assignment}: run `nbgrader generate_assignment {assignment} "
            "--create --force`"
        ) from None


def grade(run: ClassRun, jobs: int, make_executor: MakeExecutor) -> Iterator[SubmissionResult]:
    """Grade everybody in ``run.todo`` with `jobs` jobs at a time and yield outcomes as they come.

    If the executor breaks, because a worker process died, the submissions under way are tried once more, one
    at a time; who breaks it again becomes an outcome with an error. ``make_executor(jobs)`` makes a new one.
    At the end, those that others may have kept from their time are graded once more, see `_alone`.
    """
    waiting, suspects = deque(run.todo), deque[str]()
    tries: dict[str, int] = {}
    crowded: list[_Done] = []
    began = time.monotonic()
    while waiting or suspects:
        queue, width = (suspects, 1) if suspects else (waiting, jobs)
        executor = make_executor(width)
        try:
            broken = yield from _drain(run, queue, width, executor, crowded)
        finally:
            _stop(executor)
        for student in broken:
            tries[student] = tries.get(student, 0) + 1
            if tries[student] < TRIES:
                suspects.append(student)
            else:
                yield _undone(run, student, "the worker process died twice while grading it")
    if crowded:
        yield from _alone(run, crowded, time.monotonic() - began, make_executor)


class _Done(NamedTuple):
    """A result, and the seconds that it took."""

    seconds: float
    result: SubmissionResult


def _alone(
    run: ClassRun, crowded: Sequence[_Done], seconds: float, make_executor: MakeExecutor
) -> Iterator[SubmissionResult]:
    """Grade once more, with nothing beside it, what may only have been slow because of others.

    The class took `seconds`. What took the least goes first, and nothing begins that took longer than what is left: a
    class of attackers must not double everybody's time. Others keep what they have got until the next run.
    """
    left = max(AGAIN_OF_CLASS * seconds, AGAIN_OF_CELL * run.course.settings.cell_timeout)
    executor = make_executor(1)
    try:
        for first in sorted(crowded, key=lambda done: done.seconds):
            broken, began = [first.result.student], time.monotonic()
            if first.seconds <= left:
                broken = yield from _drain(run, deque(broken), 1, executor)
            left -= time.monotonic() - began
            if broken:
                yield first.result
    finally:
        _stop(executor)


def _drain(
    run: ClassRun, queue: deque[str], width: int, executor: Executor, crowded: list[_Done] | None = None
) -> Generator[SubmissionResult, None, list[str]]:
    """Run the students in `queue`; return those who were under way when the executor broke.

    Results that others may have spoiled are put into `crowded`, where there are others.
    """
    underway: dict[Future[SubmissionResult], tuple[str, float]] = {}
    broken: list[str] = []
    while (queue or underway) and not broken:
        while queue and len(underway) < width:
            student = queue.popleft()
            try:
                job = (str(run.course.root), run.assignment, student, run.settings, run.common, width == 1)
                underway[executor.submit(grade_student, *job)] = student, time.monotonic()
            except BrokenExecutor:
                broken.append(student)
                break
        finished, _ = wait(underway, return_when=FIRST_COMPLETED)
        for future in finished:
            student, began = underway.pop(future)
            try:
                result = _result_of(run, student, future)
            except BrokenExecutor:
                broken.append(student)
                continue
            if result.crowded and width > 1 and crowded is not None:
                crowded.append(_Done(time.monotonic() - began, result))
            else:
                yield result
    return broken + [student for student, _ in underway.values()]


def _result_of(run: ClassRun, student: str, future: Future[SubmissionResult]) -> SubmissionResult:
    """Return what came of a job. Raises what is about the whole run."""
    try:
        return future.result()
    except (BrokenExecutor, RunStopped):
        raise
    except OurFault as error:
        return _undone(run, student, str(error), out_of_time=isinstance(error, TookTooLong))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is one submission's, and it is named
        return _undone(run, student, f"{type(error).__name__}: {error}")


def _undone(run: ClassRun, student: str, why: str, *, out_of_time: bool = False) -> SubmissionResult:
    folder = run.course.folder("submitted", student, run.assignment)
    return SubmissionResult(student, error=f"{run.course.shown(folder)}: {why}", out_of_time=out_of_time)


def _stop(executor: Executor) -> None:
    """Stop without waiting for jobs that are under way: what they did not finish is done again next time."""
    processes = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=not processes, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()
