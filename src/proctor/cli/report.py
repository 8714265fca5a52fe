"""The ``proctor report`` command."""

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Add ``report`` to the subcommands of ``proctor``."""
    report = commands.add_parser(
        "report",
        help="write reports/ASSIGNMENT: a page, tables and pictures of the class",
        description="Write the report of a class: a page, tables and pictures. Prints who could not be graded, and "
        "where the page is.",
        epilog="example: proctor report custom_training_basics --to ~/report",
    )
    report.add_argument("assignment", nargs="?", help="default: the course's only assignment")
    report.add_argument("--to", type=Path, metavar="FOLDER", help="default: reports/ASSIGNMENT in the course")
    report.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the report and say in a few lines what is in it."""
    from proctor.course import folders as courses
    from proctor.report.gather import gather
    from proctor.report.write import write

    course = courses.load(Path.cwd())
    assignment = course.choose(options.assignment)
    report = gather(course, assignment)
    path = write(report, (options.to or course.root / "reports" / assignment).resolve())
    counts = {status: len(report.with_status(status)) for status in STATUSES}
    print(", ".join(f"{count} {status}" for status, count in counts.items() if count) or "no students")
    for notice in report.notices:
        print(f"note: {notice}")
    print(path)
    return 0


STATUSES: tuple[Any, ...] = ("graded", "to review", "to grade", "cannot be graded", "not handed in")
