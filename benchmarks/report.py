"""How long ``proctor report`` takes, and how large its page is, for a class made of the sample class over and over.

    python benchmarks/report.py [SIZE ...]      # default 100 1000; grading the sample class first takes half a minute

Everything is there that a report reads: notebooks and feedback pages of real size (the same files on disk), what
proctor remembers of each student, and the gradebook. The time is the command's, from its start to its end.
"""

import os
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

import real_course  # noqa: E402
from nbgrader.api import Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook  # noqa: E402
from sqlalchemy import insert  # noqa: E402

from proctor.course import folders as courses  # noqa: E402
from proctor.records import memory  # noqa: E402

NAME = real_course.ASSIGNMENT


def main(sizes: list[int]) -> None:
    """Grade the sample class, let it grow, and report on it at each size."""
    with tempfile.TemporaryDirectory() as folder:
        root = real_course.copy(Path(folder) / "course")
        run(root, "nbgrader", "generate_assignment", NAME, "--create", "--force", "--log-level=WARN")
        run(root, "nbgrader", "db", "assignment", "add", NAME, "--duedate=2099-01-31 23:59:00 UTC")
        run(root, "proctor", "grade", NAME)
        run(root, "nbgrader", "generate_feedback", NAME, "--log-level=ERROR")
        samples = sorted(path.name for path in (root / "submitted").iterdir())
        for size in sorted(sizes):
            grow(root, samples, size)
            begin = time.perf_counter()
            said = run(root, "proctor", "report", NAME)
            seconds = time.perf_counter() - begin
            page = (root / "reports" / NAME / "index.html").stat().st_size
            print(f"{size:>6} students: {seconds:5.1f} s, page of {page / 1e6:.2f} MB ({said.splitlines()[0]})")


def run(root: Path, *command: str) -> str:
    """Run a command in the course; return what it prints."""
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def grow(root: Path, samples: list[str], size: int) -> None:
    """Add twins of the sample students until there are `size` students."""
    twins = {f"{samples[n % len(samples)]}-{n}": samples[n % len(samples)] for n in range(len(samples), size)}
    new = {twin: sample for twin, sample in twins.items() if not (root / "submitted" / twin).exists()}
    course = courses.load(root)
    for twin, sample in new.items():
        for step in ("submitted", "autograded", "feedback"):
            target = root / step / twin / NAME
            target.mkdir(parents=True)
            for path in (root / step / sample / NAME).iterdir():
                os.link(path, target / path.name)
    common = memory.in_common(course, NAME)
    for twin, sample in new.items():
        found = memory.recall(course, NAME, sample)
        assert found is not None
        memory.remember(course, NAME, replace(found, student=twin), memory.fingerprint(course, NAME, twin, common))
    enter(course.db_url(), new)


def enter(url: str, new: dict[str, str]) -> None:
    """Give each new student the grades of the sample student, in bulk."""
    rows: dict[Any, list[dict[str, Any]]] = {Student: [], SubmittedAssignment: [], SubmittedNotebook: [], Grade: []}
    with Gradebook(url, "custom-training") as book:
        known = {found.student_id: found.notebooks[0] for found in book.assignment_submissions(NAME)}
        known = {sample: (n.assignment.assignment_id, n.notebook_id, list(n.grades)) for sample, n in known.items()}
        for twin, sample in new.items():
            assignment, notebook, grades = known[sample]
            submission, handed_in = uuid.uuid4().hex, uuid.uuid4().hex
            rows[Student].append({"id": twin, "first_name": sample.title(), "last_name": f"Twin {len(rows[Student])}"})
            rows[SubmittedAssignment].append({"id": submission, "assignment_id": assignment, "student_id": twin})
            rows[SubmittedNotebook].append({"id": handed_in, "assignment_id": submission, "notebook_id": notebook})
            own = {"notebook_id": handed_in, "needs_manual_grade": False}
            rows[Grade] += [
                {"id": uuid.uuid4().hex, "cell_id": grade.cell_id, "auto_score": grade.auto_score, **own}
                for grade in grades
            ]
        for table, values in rows.items():
            if values:
                book.db.execute(insert(table), values)
        book.db.commit()


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100, 1000])
