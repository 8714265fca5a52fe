"""``proctor check``: grade one notebook without a gradebook and print every item."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proctor.errors import GRADED, SOME_NOT, CourseError

if TYPE_CHECKING:
    from proctor.course.folders import Course
    from proctor.results.submission_result import SubmissionResult

SEEDS = (1, 2, 3, 4)  # beside the course's own


def add_to(commands: Any) -> None:
    """Add ``check`` to the subcommands of ``proctor``."""
    check = commands.add_parser(
        "check",
        help="grade one notebook without a gradebook and print every item",
        description="Grade one notebook without a gradebook. Prints each hidden test with its points and what it says.",
        epilog="example: proctor check submitted/sample-ada/custom_training_basics/custom_training_basics.ipynb",
    )
    check.add_argument("notebook", type=Path, nargs="?", help="the file")
    summary = "for authors: the source of ASSIGNMENT earns everything and its release nothing, with several seeds"
    check.add_argument("--both-ends", metavar="ASSIGNMENT", help=summary)
    check.add_argument("--assignment", help="default: the notebook's name, or the course's only assignment")
    check.add_argument("--format", choices=["text", "json", "gradescope"], default="text", help="default: %(default)s")
    check.add_argument("--json", action="store_const", const="json", dest="format", help="short for --format json")
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the result in the format that was asked for."""
    from proctor.course import folders as courses
    from proctor.grading import one_notebook
    from proctor.notebook import out_of_reach
    from proctor.render import check_json, gradescope, words
    from proctor.render.cell_outputs import as_text

    if options.both_ends:
        return _both_ends(courses.load(Path.cwd()), options.both_ends)
    if options.notebook is None:
        raise CourseError("name a notebook, or an assignment after --both-ends")
    try:
        course = courses.load(Path.cwd())
        assignment = one_notebook.choose(course, options.notebook, options.assignment)
        result = _result(course, options.notebook, assignment)
    except OSError as error:
        raise CourseError(f"{options.notebook}: {error.strerror}") from None
    if options.format == "gradescope":
        print(json.dumps(gradescope.results(result), indent=2))
    if result.error:
        raise CourseError(result.error)
    for_authors = out_of_reach.flags_of(course.sources(assignment))
    result = replace(result, flags=(*result.flags, *for_authors))
    if options.format == "json":
        print(json.dumps(check_json.results(result), indent=2))
    elif options.format == "text":
        print("\n".join([*map(as_text, result.cells), *map(words.ordinary, result.ordinary)]))
        for flag in result.flags:
            print(f"note: {words.flag(flag)}")
        print(words.total(result.points, result.max_points))
    return GRADED if result.points == result.max_points else SOME_NOT


def _result(course: "Course", notebook: Path, assignment: str) -> "SubmissionResult":
    """Grade it, with everything imported at once, here and in the process that kernels come from."""
    from proctor.course import hand_in
    from proctor.executors import pool
    from proctor.grading import one_notebook
    from proctor.render import words

    preload = one_notebook.needed(course, notebook, assignment)
    _say(words.importing(preload))
    with pool.warm(preload, course.settings.environment):
        _say(words.grading(notebook.name))
        result = one_notebook.check(course, notebook, assignment)
    # What is graded is a copy, whose path nobody knows.
    reason = hand_in.unreadable(notebook) if result.error else ""
    return replace(result, error=f"{notebook}: {reason}") if reason else result


def _both_ends(course: "Course", name: str) -> int:
    """Print what an author has to look at, and nothing but a word if all is well."""
    from proctor.executors import pool
    from proctor.grading import both_ends
    from proctor.hidden_tests.slips import slips, without_hint
    from proctor.render import words

    assignment = course.choose(name)
    tests = course.hidden_tests(".")
    paths = [course.folder("source", ".", assignment) / f"{name}.ipynb" for name in course.notebooks(assignment)]
    found = [f"{path.name}: {slip}" for path in paths for slip in slips(path, tests)]
    if not found:
        found = [slip for path in paths for slip in without_hint(path, tests)]
        _say(words.importing(course.settings.preload))
        with pool.warm(course.settings.preload, course.settings.environment):
            found += both_ends.findings(course, assignment, [course.settings.seed, *SEEDS])
    print("\n".join(found) or words.BOTH_ENDS)
    return SOME_NOT if found else GRADED


def _say(text: str) -> None:
    """Tell somebody who waits in front of a terminal; a program has no use for it."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)
