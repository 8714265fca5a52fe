"""``proctor feedback``: the pages of a class in a zip file that a learning platform takes back."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proctor.errors import GRADED, SOME_NOT, CourseError

WHY: Mapping[str, str] = {
    "not graded": "not graded yet: proctor grade",
    "no page": "no feedback page yet: nbgrader generate_feedback {assignment}",
    "old page": "the page is older than the grade: nbgrader generate_feedback {assignment} --force",
    "not collected": "not collected by nbgrader zip_collect: {platform} has no name for it, so hand it back yourself",
    "another platform": "collected under a name that is not {platform}'s",
}


def add_to(commands: Any) -> None:
    """Add ``feedback`` to the subcommands of ``proctor``."""
    feedback = commands.add_parser(
        "feedback",
        help="pack all feedback pages for upload to Moodle or Canvas",
        description="Pack the feedback pages of a class into one zip file, named as Moodle or Canvas had named the "
        "submissions in its download, so that each page goes back to its student. Prints who is not in it, and why. "
        "nbgrader generate_feedback writes the pages first.",
        epilog="example: proctor feedback custom_training_basics --for moodle",
    )
    feedback.add_argument("assignment", nargs="?", help="default: the course's only assignment")
    feedback.add_argument(
        "--for", dest="platform", choices=["moodle", "canvas"], required=True, help="who gets the file"
    )
    feedback.add_argument("--to", type=Path, metavar="FILE", help="default: feedback/ASSIGNMENT-for-PLATFORM.zip")
    feedback.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the zip file and say who is not in it."""
    from proctor.course import folders as courses
    from proctor.render import words
    from proctor.report import for_platform

    course = courses.load(Path.cwd())
    assignment = course.choose(options.assignment)
    platform = options.platform.capitalize()
    name = f"{assignment}-for-{options.platform}.zip"
    to = (options.to or course.folder("feedback", ".", ".") / name).resolve()
    packed = for_platform.pack(course, assignment, options.platform, to)
    for student, why in packed.without.items():
        print(f"  {words.plain(student)}: {WHY[why].format(assignment=assignment, platform=platform)}", file=sys.stderr)
    if not packed.pages:
        raise CourseError(f"{assignment}: there is no page to pack for {platform}")
    if packed.to_review:
        waiting = words.plain(", ".join(packed.to_review))
        print(f"note: a person has still to look at {waiting}: their pages say that the score is not final")
    pages, without = words.count(len(packed.pages), "page"), words.count(len(packed.without), "student")
    print(f"{pages} for {platform}, {without} without one")
    print(to)
    return SOME_NOT if packed.without else GRADED
