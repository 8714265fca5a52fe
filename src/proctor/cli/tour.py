"""``proctor`` alone: where this course stands, assignment by assignment, and what comes next."""

from pathlib import Path
from typing import TYPE_CHECKING

from proctor.errors import GRADED

if TYPE_CHECKING:
    from proctor.course.folders import Course
    from proctor.results.standing import Standing


def run() -> int:
    """Print it. Raises `CourseError` outside of a course."""
    from proctor.course import folders
    from proctor.render import words

    course = folders.load(Path.cwd())
    assignments = course.assignments()
    if not assignments:
        print(words.NO_ASSIGNMENT)
    for assignment in assignments:
        print("\n".join(words.standing(_standing(course, assignment))), end="\n\n")
    print(words.MORE)
    return GRADED


def _standing(course: "Course", assignment: str) -> "Standing":
    from proctor.records import gradebook
    from proctor.results.standing import Standing

    students = course.students(assignment)
    submissions = gradebook.read(course, assignment).submissions
    graded = {student for student in students if student in submissions and submissions[student].graded}
    pages = [student for student in students if any(course.folder("feedback", student, assignment).glob("*.html"))]
    return Standing(
        assignment,
        # In a fresh clone there is a release, and no gradebook that knows of it.
        released=any(course.folder("release", ".", assignment).glob("*.ipynb"))
        and bool(gradebook.released(course, assignment)),
        handed_in=len(students),
        graded=len(graded),
        to_review=sum(submissions[student].needs_review for student in graded),
        feedback=len(pages),
    )
