"""One of many grading processes: enters students into a gradebook as nbgrader's Autograde does, as fast as it can.

python hammer.py COURSE NAME COUNT
"""

import sys
from pathlib import Path

from nbgrader.api import Gradebook

from proctor import course as courses

NOTEBOOK = ASSIGNMENT = "tiny"


def main() -> None:
    """Exit with a traceback as soon as the database refuses anything."""
    root, name, count = sys.argv[1:]
    course = courses.load(Path(root))
    for number in range(int(count)):
        student = f"{name}-{number}"
        with Gradebook(course.db_url(), "custom-training") as book:
            book.update_or_create_student(student)
        with Gradebook(course.db_url(), "custom-training") as book:
            book.update_or_create_submission(ASSIGNMENT, student)
        with Gradebook(course.db_url()) as book:
            grade = book.find_grade("test_double", NOTEBOOK, ASSIGNMENT, student)
            grade.auto_score, grade.needs_manual_grade = float(number % 4), False
            book.db.commit()


if __name__ == "__main__":
    main()
