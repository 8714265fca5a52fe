"""``proctor new``: the skeleton of another assignment, which releases, grades and passes as it is.

An author who starts from something that works sees at once what each file is for. The files are in ``templates/new``.
"""

import argparse
import re
from pathlib import Path
from typing import Any

from proctor.course import folders as courses
from proctor.course.folders import Course
from proctor.errors import CourseError

TEMPLATES = Path(__file__).parents[1] / "templates" / "new"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
IN_SOURCE = {"notebook.ipynb": "{}.ipynb", "requirements.txt": "requirements.txt"}


def add_to(commands: Any) -> None:
    """Add ``new`` to the subcommands of ``proctor``."""
    new = commands.add_parser(
        "new",
        help="make the skeleton of another assignment",
        description="Make the skeleton of another assignment: a notebook and its hidden tests. Prints the files, and "
        "what to do with them; never overwrites one.",
        epilog="example: proctor new week_2",
    )
    new.add_argument("assignment", help="its name: letters, digits, _ and -; begins with a letter")
    new.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    course = courses.load(Path.cwd())
    for path in make(course, options.assignment):
        print(path.relative_to(course.root))
    print("It can be graded as it is; change it into yours (docs/authors.md), and then:")
    print(f"  nbgrader generate_assignment {options.assignment} --create --force")
    print(f"  proctor check source/{options.assignment}/{options.assignment}.ipynb")
    return 0


def make(course: Course, assignment: str) -> list[Path]:
    """Write the skeleton of `assignment` into `course` and return the files' paths.

    Raises `CourseError` for a name that is not valid, and if there is anything of that name: nothing is overwritten.
    """
    if not NAME.fullmatch(assignment):
        raise CourseError(
            f"{assignment!r} is no name for an assignment: up to 64 letters, digits, _ and -, a letter first"
        )
    source, tests = course.folder("source", ".", assignment), course.hidden_tests(assignment)
    for folder in (source, tests):
        if folder.exists() or folder.is_symlink():
            raise CourseError(f"{folder}: exists already; choose another name, or move it away")
    made = []
    for template in sorted(TEMPLATES.glob("*.in")):
        name = template.name.removesuffix(".in")
        path = source / IN_SOURCE[name].format(assignment) if name in IN_SOURCE else tests / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(template.read_text(encoding="utf-8").replace("ASSIGNMENT", assignment), encoding="utf-8")
        except OSError as error:
            raise CourseError(f"{path}: cannot be written ({error.strerror})") from None
        made.append(path)
    return sorted(made)
