"""``proctor grade``: grade a class, with progress while it runs and a table at the end."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proctor.cli.extend import notes
from proctor.errors import GRADED, SOME_NOT

if TYPE_CHECKING:
    from proctor.course.folders import Course
    from proctor.grading.class_run import ClassRun


def add_to(commands: Any) -> None:
    """Add ``grade`` to the subcommands of ``proctor``."""
    grade = commands.add_parser(
        "grade",
        help="grade everything in submitted/ that is new or has changed",
        description="Grade everything in submitted/ that is new or has changed. Prints each submission as it is done, "
        "then the class: points by exercise, and what stands out.",
        epilog="example: proctor grade custom_training_basics --student sample-ada --force",
    )
    grade.add_argument("assignment", nargs="?", help="default: the course's only assignment")
    grade.add_argument("--student", action="append", default=[], metavar="ID", help="only this student (repeatable)")
    grade.add_argument("--jobs", type=_jobs, default=_cores(), metavar="N", help="submissions at a time (%(default)s)")
    summary = "grade unchanged submissions again, too; after a stop, the same command goes on where it was"
    grade.add_argument("--force", action="store_true", help=summary)
    summary = "grade on the Dask cluster of this scheduler, for example tcp://10.0.0.1:8786 (--jobs is then ignored)"
    grade.add_argument("--scheduler", metavar="ADDRESS", help=summary)
    summary = "grade although this machine cannot protect itself from student code"
    grade.add_argument("--allow-unsandboxed", action="store_true", help=summary)
    grade.set_defaults(run=run)


def _jobs(text: str) -> int:
    cores = _cores()
    if not text.isdigit() or not 1 <= int(text) <= 4 * cores:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 1 to {4 * cores} (this machine has {cores} cores)")
    return int(text)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(options: argparse.Namespace) -> int:
    """Grade, print the class, and say who could not be graded."""
    from proctor.course import folders as courses
    from proctor.course.lock import course_lock
    from proctor.grading import class_run as grading
    from proctor.grading.class_rows import class_rows
    from proctor.grading.penalties import renew_penalties
    from proctor.records import memory
    from proctor.render import words
    from proctor.render.class_table import class_table
    from proctor.sandbox import machine

    if not machine.can_fork() and not options.scheduler:
        print(words.ordinary_kernels(machine.SYSTEM), file=sys.stderr)
    course = courses.load(Path.cwd())
    assignment = course.choose(options.assignment)
    _expect_no_slips(course, assignment)
    with course_lock(course):
        misplaced = _misplaced(course, assignment, options.student)
        class_run = grading.plan(course, assignment, options.student, options.force)
        class_run.settings["allow_unsandboxed"] = options.allow_unsandboxed or course.settings.allow_unsandboxed
        results = list(_results(class_run, options)) if class_run.todo else []
        memory.all_done(course, assignment)
        renew_penalties(course, assignment)
    rows = class_rows(course, assignment, [*class_run.skipped, *results, *misplaced])
    print(class_table(rows))
    for note in _notes(course, assignment, rows):
        print(f"\n{note}")
    failed = [*(result for result in results if result.error), *misplaced]
    _say_how_many(results, len(class_run.skipped), failed)
    return SOME_NOT if failed else GRADED


def _say_how_many(results: Sequence[Any], unchanged: int, failed: Sequence[Any]) -> None:
    """The last lines: how many were graded, and who was not, with the reason."""
    from proctor.render import words

    graded = sum(not result.error for result in results)
    print(f"\n{graded} graded, {unchanged} unchanged, {len(failed)} not graded")
    for result in failed:
        print(f"  {words.plain(result.error)}", file=sys.stderr)


def _notes(course: "Course", assignment: str, rows: Sequence[Any]) -> list[str]:
    """What is said below the table: of marks in it, of the course's settings and files, of its author's cells."""
    from proctor.notebook import out_of_reach
    from proctor.render import words
    from proctor.render.class_table import notes_below
    from proctor.settings import PUBLISHED_SEED

    flags = out_of_reach.flags_of(course.sources(assignment))
    return [
        *notes_below(list(rows), course.settings.seed == PUBLISHED_SEED),
        *notes(course),
        *(f"For the author: {words.flag(flag)}" for flag in flags),
    ]


def _expect_no_slips(course: "Course", assignment: str) -> None:
    """Raise `CourseError` for what an author has overlooked, before it costs a class points."""
    from proctor.errors import CourseError
    from proctor.hidden_tests.slips import slips

    paths = [course.folder("source", ".", assignment) / f"{name}.ipynb" for name in course.notebooks(assignment)]
    found = [f"{course.shown(path)}: {slip}" for path in paths for slip in slips(path, course.hidden_tests("."))]
    if found:
        raise CourseError("nothing is graded before this is put right:\n  " + "\n  ".join(found))


def _misplaced(course: "Course", assignment: str, students: Sequence[str]) -> list[Any]:
    """Put notebooks where nbgrader looks for them, as far as that is beyond doubt; return who is left."""
    from proctor.errors import CourseError
    from proctor.misplaced import place
    from proctor.render import uploads
    from proctor.results.submission_result import SubmissionResult

    result = place.put_right(course, assignment, students)
    for one in result.taken:
        print(uploads.taken(one.student, one.file, one.placed), file=sys.stderr)
    listed = course.students(assignment)
    left = [
        SubmissionResult(
            student,
            error=uploads.nothing_to_take(course.shown(course.folder("submitted", student, ".")), assignment, files),
        )
        for student, files in result.unclear.items()
        if student not in listed
    ]
    left += [SubmissionResult(Path(file).name, error=uploads.nobodys(file, assignment)) for file in result.nobodys]
    if left and not listed:
        raise CourseError("; ".join(one.error for one in left))
    return left


def _results(run: "ClassRun", options: argparse.Namespace) -> Iterator[Any]:
    """Grade on this machine's cores or on a cluster, and show how far it is."""
    from proctor.grading import class_run as grading
    from proctor.render import words

    if options.scheduler:
        from proctor.executors import cluster

        with cluster.connect(options.scheduler, run) as chosen:
            print("\n".join(chosen.hosts), file=sys.stderr)
            yield from _progress(grading.grade(run, chosen.jobs, chosen.make_executor), len(run.todo))
    else:
        from proctor.executors import pool as workers
        from proctor.sandbox import scratch

        settings = run.course.settings
        print(words.importing(settings.preload), file=sys.stderr, flush=True)
        with workers.warm(settings.preload, settings.environment), scratch.scratch_folders_together():
            yield from _progress(grading.grade(run, options.jobs, workers.make_pool), len(run.todo))


def _progress(results: Iterable[Any], total: int) -> Iterator[Any]:
    """Show done, left, rate and time to go: a bar on a terminal, plain lines otherwise."""
    from proctor.render import words

    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(results, total=total, desc="grading", unit="submission", dynamic_ncols=True)
        return
    for done, result in enumerate(results, 1):
        line = f"[{done}/{total}] {result.student}: {result.error or 'graded'}"
        print(words.plain(line), file=sys.stderr, flush=True)
        yield result
