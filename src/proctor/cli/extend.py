"""``proctor extend``: who may hand in later, in ``extensions.csv``."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proctor.errors import GRADED, CourseError

if TYPE_CHECKING:
    from proctor.course.folders import Course
    from proctor.dates.extensions import Extension


def add_to(commands: Any) -> None:
    """Add ``extend`` to the subcommands of ``proctor``."""
    extend = commands.add_parser(
        "extend",
        help="give single students more time, which late penalties respect",
        description="Give single students more time, for one assignment or for all. Writes extensions.csv beside "
        "nbgrader_config.py. Prints all extensions; without a student it only prints. proctor grade then grades again.",
        epilog='example: proctor extend sample-ada sample-bo --by "2 days"',
    )
    extend.add_argument("students", nargs="*", metavar="STUDENT", help="their ids")
    extend.add_argument("--assignment", default="", help="default: all assignments")
    what = extend.add_mutually_exclusive_group()
    what.add_argument("--by", metavar="TIME", help='more time: "2 days", "36 hours"')
    what.add_argument("--until", metavar="DATE", help='due then instead: "2027-02-03 23:59 UTC"; no zone is UTC')
    what.add_argument("--remove", action="store_true", help="take the extension back")
    extend.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file if anything is to change, and print it."""
    from proctor.course import folders as courses
    from proctor.dates import extensions

    course = courses.load(Path.cwd())
    known = extensions.read(course.root)
    if options.students:
        new = _changed(course, options, known)
        extensions.write(course.root, new)
        known = tuple(new)
    elif options.by or options.until or options.remove:
        raise CourseError("name at least one student: proctor extend STUDENT …")
    for one in known or ():
        print(f"{one.student}: {one.assignment or 'all assignments'}: {_said(one)}")
    if not known:
        print("No extensions.")
    for note in notes(course):
        print(note)
    if options.students:
        print("Now run proctor grade: penalties are worked out when a submission is graded.")
    return GRADED


def notes(course: "Course") -> list[str]:
    """Say so if the file names a student or an assignment that nobody knows: a typing error would cost points."""
    from proctor.dates import extensions
    from proctor.records import gradebook
    from proctor.render import words

    lines, assignments = extensions.read(course.root) or (), course.assignments()
    students = gradebook.student_ids(course) | {who for name in assignments for who in course.students(name)}
    unknown = [one.student for one in lines if one.student not in students]
    unknown += [one.assignment for one in lines if one.assignment and one.assignment not in assignments]
    return [words.plain(f"note: {extensions.NAME} names {name!r}, which nobody here knows") for name in unknown]


def _changed(course: "Course", options: argparse.Namespace, known: "tuple[Extension, ...] | None") -> "list[Extension]":
    """Return all extensions after what the command line asks for."""
    from proctor.dates import written
    from proctor.dates.extensions import Extension
    from proctor.records import gradebook

    text = options.by or options.until
    if not text and not options.remove:
        raise CourseError('say how long: --by "2 days" or --until "2027-02-03 23:59 UTC"; or --remove')
    if options.assignment:
        course.choose(options.assignment)
    roster = gradebook.student_ids(course)
    strangers = sorted(set(options.students) - roster) if roster and not options.remove else []
    if strangers:
        raise CourseError(
            f"the gradebook does not know {', '.join(strangers)}: enter them first (nbgrader db student add)"
        )
    # The first time, the file takes over what the gradebook has, because from now on it decides.
    extensions = gradebook.extensions(course) if known is None else [*known]
    kept = [one for one in extensions if one.student not in options.students or one.assignment != options.assignment]
    if options.remove:
        if len(kept) == len(extensions):
            raise CourseError(_nothing_to_remove(options, extensions))
        return kept
    try:
        _ = written.duration(text) if options.by else written.time(text)
    except ValueError as error:
        option = "--by" if options.by else "--until"
        raise CourseError(f"{option}: {text!r} {error}") from None
    return [*kept, *(Extension.of(student, options.assignment, text) for student in options.students)]


def _nothing_to_remove(options: argparse.Namespace, extensions: "list[Extension]") -> str:
    """Say where these students do have an extension: the same command takes another word, or leaves one out."""
    elsewhere = [one for one in extensions if one.student in options.students]
    there = "".join(f"; {one.student} has one for {one.assignment or 'all assignments'}" for one in elsewhere)
    where = options.assignment or "all assignments"
    return f"there is no extension of {', '.join(options.students)} for {where} to remove{there}"


def _said(one: "Extension") -> str:
    return f"until {one.until:%Y-%m-%d %H:%M} UTC" if one.until else f"{one.text} more"
