"""Many grading processes: each enters students into a gradebook as nbgrader's Autograde does, as fast as it can.

python hammer.py COURSE PROCESSES COUNT
"""

import multiprocessing
import sys
from pathlib import Path

from nbgrader.api import Gradebook

from proctor.course import folders as courses

NOTEBOOK = ASSIGNMENT = "tiny"


def write(url: str, name: str, count: int, begin: "multiprocessing.Barrier") -> None:
    """Exit with a traceback as soon as the database refuses anything."""
    begin.wait()
    for number in range(count):
        student = f"{name}-{number}"
        with Gradebook(url, "custom-training") as book:
            book.update_or_create_student(student)
        with Gradebook(url, "custom-training") as book:
            book.update_or_create_submission(ASSIGNMENT, student)
        with Gradebook(url) as book:
            grade = book.find_grade("test_double", NOTEBOOK, ASSIGNMENT, student)
            grade.auto_score, grade.needs_manual_grade = float(number % 4), False
            book.db.commit()


def main() -> None:
    """Have all begin at once; exit with how many of them failed."""
    root, processes, count = sys.argv[1:]
    url = courses.load(Path(root)).db_url()
    fork = multiprocessing.get_context("fork")
    begin = fork.Barrier(int(processes))
    writers = [
        fork.Process(target=write, args=[url, f"writer{number}", int(count), begin]) for number in range(int(processes))
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    sys.exit(sum(writer.exitcode != 0 for writer in writers))


if __name__ == "__main__":
    main()
