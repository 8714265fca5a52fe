"""The ``proctor`` command: options, progress and tables. How anything is done is other modules' business."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proctor.cli import new
from proctor.cli import report as report_command
from proctor.course.quiet import quiet_tensorflow
from proctor.errors import CourseError, ProctorError

if TYPE_CHECKING:
    from proctor.grading.class_run import ClassRun

GRADED, SOME_NOT, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)
    quiet_tensorflow()
    try:
        return int(options.run(options))
    except ProctorError as error:
        print(f"proctor: {error}", file=sys.stderr)
        return USAGE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"proctor: {where}{error.strerror or error}; when that is mended, run the same again", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("\nproctor: stopped; run the same command again to go on from here", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="proctor", description="Grade nbgrader assignments with hidden tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    grade = commands.add_parser("grade", help="grade everything in submitted/ that is new or has changed")
    grade.add_argument("assignment", nargs="?", help="default: the course's only assignment")
    grade.add_argument("--student", action="append", default=[], metavar="ID", help="only this student (repeatable)")
    grade.add_argument("--jobs", type=_jobs, default=_cores(), metavar="N", help="submissions at a time (%(default)s)")
    grade.add_argument("--force", action="store_true", help="grade unchanged submissions again, too")
    said = "grade on the Dask cluster of this scheduler, for example tcp://10.0.0.1:8786 (then --jobs says nothing)"
    grade.add_argument("--scheduler", metavar="ADDRESS", help=said)
    said = "grade although this machine cannot protect itself from student code"
    grade.add_argument("--allow-unsandboxed", action="store_true", help=said)
    grade.set_defaults(run=_grade)

    doctor = commands.add_parser("doctor", help="try every protection against student code and say what holds here")
    doctor.set_defaults(run=_doctor)

    check = commands.add_parser("check", help="grade one notebook without a gradebook and print every item")
    check.add_argument("notebook", type=Path)
    check.add_argument("--assignment", help="default: the notebook's name, or the course's only assignment")
    check.add_argument("--format", choices=["text", "json", "gradescope"], default="text", help="default: %(default)s")
    check.add_argument("--json", action="store_const", const="json", dest="format", help="short for --format json")
    check.set_defaults(run=_check)
    report_command.add_to(commands)
    new.add_to(commands)
    return parser


def _jobs(text: str) -> int:
    cores = _cores()
    if not text.isdigit() or not 1 <= int(text) <= 4 * cores:
        raise argparse.ArgumentTypeError(f"{text!r}: a number from 1 to {4 * cores} (this machine has {cores} cores)")
    return int(text)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _grade(options: argparse.Namespace) -> int:
    from proctor.course import folders as courses
    from proctor.grading import class_run as grading
    from proctor.render.class_table import class_table, warnings_below

    course = courses.load(Path.cwd())
    assignment = course.choose(options.assignment)
    with grading.alone(course):
        run = grading.plan(course, assignment, options.student, options.force)
        run.settings["allow_unsandboxed"] = options.allow_unsandboxed or course.setting("allow_unsandboxed", False)
        outcomes = list(_outcomes(run, options)) if run.todo else []
    print(class_table([*run.skipped, *outcomes]))
    for warning in warnings_below([*run.skipped, *outcomes]):
        print(f"\n{warning}")
    failed = [outcome for outcome in outcomes if outcome.error]
    print(f"\n{len(outcomes) - len(failed)} graded, {len(run.skipped)} unchanged, {len(failed)} not graded")
    for outcome in failed:
        print(f"  {outcome.error}", file=sys.stderr)
    return SOME_NOT if failed else GRADED


def _outcomes(run: "ClassRun", options: argparse.Namespace) -> Iterator[Any]:
    """Grade on this machine's cores or on a cluster, and show how far it is."""
    from proctor.grading import class_run as grading

    if options.scheduler:
        from proctor.executors import cluster

        with cluster.connect(options.scheduler, run) as found:
            print("\n".join(found.about), file=sys.stderr)
            yield from _progress(grading.grade(run, found.jobs, found.make_executor), len(run.todo))
    else:
        from proctor.executors import pool as workers
        from proctor.kernels import scratch

        with workers.warm(run.course.setting("preload", [])), scratch.scratch_folders_together():
            yield from _progress(grading.grade(run, options.jobs, workers.make_pool), len(run.todo))


def _progress(outcomes: Iterable[Any], total: int) -> Iterator[Any]:
    """Show done, left, rate and time to go: a bar on a terminal, plain lines otherwise."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(outcomes, total=total, desc="grading", unit="submission", dynamic_ncols=True)
        return
    for done, outcome in enumerate(outcomes, 1):
        print(f"[{done}/{total}] {outcome.student}: {outcome.error or 'graded'}", file=sys.stderr, flush=True)
        yield outcome


def _doctor(options: argparse.Namespace) -> int:
    from proctor.sandbox.probes import available

    print("Student code on this machine cannot:")
    protections = available()
    for protection in protections:
        mark = "✓" if protection.enforced else "✗" if protection.essential else "-"
        print(f"  {mark} {protection.name}{'' if protection.enforced else f'   ({protection.why})'}")
    lacking = [protection.name for protection in protections if protection.essential and not protection.enforced]
    if lacking:
        print(f"\n{len(lacking)} not enforced: proctor grade refuses here, unless told --allow-unsandboxed.")
        return SOME_NOT
    print("\nAll enforced. (- would be a second line of defence; this machine has no way to it.)")
    return GRADED


def _check(options: argparse.Namespace) -> int:
    from proctor.course import folders as courses
    from proctor.grading.one_notebook import check
    from proctor.render import gradescope
    from proctor.results.verdict import as_text

    try:
        outcome = check(courses.load(Path.cwd()), options.notebook, options.assignment)
    except OSError as error:
        raise CourseError(f"{options.notebook}: {error.strerror}") from None
    if options.format == "gradescope":
        print(json.dumps(gradescope.results(outcome), indent=2))
    if outcome.error:
        raise CourseError(outcome.error)
    if options.format == "json":
        print(json.dumps(_as_json(outcome), indent=2))
    elif options.format == "text":
        print("\n".join(as_text(cell) for cell in outcome.cells))
        print("\n".join(f"note: {flag}" for flag in outcome.flags))
    return GRADED if outcome.points == outcome.max_points else SOME_NOT


def _as_json(outcome: Any) -> dict[str, Any]:
    cells = [
        {
            "grade_id": cell.grade_id,
            "points": cell.points,
            "max_points": cell.max_points,
            "items": [
                {
                    "name": item.name,
                    "points": item.points,
                    "max_points": item.max_points,
                    "passed": {"passed": True, "failed": False}.get(item.outcome),
                    "message": item.message,
                }
                for item in cell.items
            ],
        }
        for cell in outcome.cells
    ]
    points = {"points": outcome.points, "max_points": outcome.max_points}
    return {**points, "cells": cells, "notes": list(outcome.flags)}
