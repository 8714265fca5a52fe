"""What grows with the class: nbgrader's bookkeeping of one submission, planning a run, and a cluster's throughput.

    python benchmarks/scale.py bookkeeping [SIZE ...]     # default 1000 10000; SQLite and, where installed, PostgreSQL
    python benchmarks/scale.py plan [SIZE ...]            # a second `proctor grade` that finds nothing to do
    python benchmarks/scale.py throughput [WORKERS ...]   # default 1 2 3; real kernels, the tests' tiny course
    python benchmarks/scale.py shared [COUNT]             # what all workers share: a database, a scheduler

Bookkeeping grades the assignment of this course through nbgrader's whole pipeline with a kernel that does nothing. The
classes before it are inserted in bulk, each with and without the indexes that `proctor grade` adds; 60 more submissions
are then graded in each, in turns, so that whatever else the machine does meets all alike. What is measured is CPU time,
of the grading process and of PostgreSQL's server.
"""

import contextlib
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proctor.course.folders import Course

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
MEASURED = 60
CONFIG = """
from proctor.render.cell_outputs import as_outputs
from proctor.autograde.execute import ProctoredExecute
from proctor.results import in_notebook
from proctor.results.verdict import CellVerdict, Item


class NoKernel(ProctoredExecute):
    def preprocess(self, nb, resources):
        in_notebook.mark_executed(nb.metadata)
        for cell in nb.cells:
            about = cell.metadata.get("nbgrader", {})
            if about.get("grade"):
                item = Item("test_all", "Asked.", float(about["points"]), "passed")
                cell.outputs = as_outputs(CellVerdict(about["grade_id"], about["points"], (item,), ()))
        return nb, resources


c.Autograde.autograde_preprocessors[0] = NoKernel
c.NbGrader.log_level = "ERROR"
"""


def make_course(folder: Path) -> tuple[Path, str]:
    """A copy of this course with a kernel that does nothing, released; returns the assignment's name, too."""
    folder.mkdir(exist_ok=True)
    for name in ("source", "grader_tests"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text() + CONFIG)
    assignment = next(path.name for path in (folder / "source").iterdir() if path.is_dir())
    subprocess.run(
        ["nbgrader", "generate_assignment", assignment, "--create"], cwd=folder, check=True, capture_output=True
    )
    return folder, assignment


def hand_in(course: Path, assignment: str, student: str) -> None:
    """The untouched release as a submission; the files of all students are the same one on disk."""
    target = course / "submitted" / student / assignment
    target.mkdir(parents=True)
    for path in (course / "release" / assignment).glob("*.ipynb"):
        os.link(path, target / path.name)


def insert_class(url: str, assignment: str, size: int) -> None:
    """Put `size` graded submissions into the gradebook as nbgrader would, but all at once."""
    from nbgrader.api import Comment, Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
    from sqlalchemy import insert

    def new() -> str:
        return uuid.uuid4().hex

    with Gradebook(url, "custom-training") as book:
        found = book.find_assignment(assignment)
        (notebook,) = found.notebooks
        ids = [(f"class-{new()}", new(), new()) for _ in range(size)]
        rows = {
            Student: [{"id": student} for student, _, _ in ids],
            SubmittedAssignment: [{"id": a, "assignment_id": found.id, "student_id": s} for s, a, _ in ids],
            SubmittedNotebook: [{"id": n, "assignment_id": a, "notebook_id": notebook.id} for _, a, n in ids],
            Grade: [
                {"id": new(), "cell_id": cell.id, "notebook_id": n, "auto_score": 1.0, "needs_manual_grade": False}
                for _, _, n in ids
                for cell in notebook.grade_cells
            ],
            Comment: [
                {"id": new(), "cell_id": cell.id, "notebook_id": n}
                for _, _, n in ids
                for cell in notebook.solution_cells
            ],
        }
        for table, values in rows.items():
            book.db.execute(insert(table), values)
        book.db.commit()


@contextlib.contextmanager
def sql_clock() -> Iterator[list[float]]:
    """CPU seconds of this process in all statements while it lasts, and their count."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    total, begun = [0.0, 0.0], [0.0]

    def before(*_: object) -> None:
        begun[0] = time.thread_time()

    def after(*_: object) -> None:
        total[0] += time.thread_time() - begun[0]
        total[1] += 1

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield total
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


def grade_one(course: "Course", assignment: str) -> tuple[float, float, float]:
    """CPU milliseconds in all and in statements, and the number of statements, of one new submission."""
    from proctor.grading.student import grade_in

    student = f"new-{uuid.uuid4().hex[:12]}"
    hand_in(course.root, assignment, student)
    cpu = time.process_time()
    with sql_clock() as sql:
        outcome = grade_in(course, assignment, student)
    assert not outcome.error, outcome.error
    return (time.process_time() - cpu) * 1e3, sql[0] * 1e3, sql[1]


def bookkeeping(sizes: Sequence[int]) -> None:
    """Print the table for every database there is."""
    import servers

    columns = ("database", "class", "indexes", "CPU ms", "of it in statements", "server's CPU ms", "statements")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    bookkeeping_on("SQLite", sizes, lambda number: None, lambda: 0.0)
    if servers.postgres_programs():
        with servers.postgres() as server:

            def new_database(number: int) -> None:
                server.psql("postgres", f"CREATE DATABASE scale{number}")
                os.environ["PROCTOR_DB_URL"] = server.url().replace(f"/{servers.DATABASE}", f"/scale{number}")

            bookkeeping_on("PostgreSQL", sizes, new_database, lambda: cpu_of(server.pid))


def cpu_of(pid: int) -> float:
    """CPU milliseconds of a process and of its children that have ended: a server's connections, once closed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) * 1000 / os.sysconf("SC_CLK_TCK")


def bookkeeping_on(
    name: str, sizes: Sequence[int], new_database: Callable[[int], None], server_cpu: Callable[[], float]
) -> None:
    """Fill a gradebook for each size, with and without the indexes; then measure all in turns."""
    from proctor.course import folders as courses

    kinds = [(size, indexes) for indexes in ("yes", "no") for size in sizes]
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        made, rows = {}, {kind: [] for kind in kinds}
        for number, kind in enumerate(kinds):
            new_database(number)
            root, assignment = make_course(Path(folder) / str(number))
            made[kind] = courses.load(root)
            insert_class(made[kind].db_url(), assignment, kind[0])
            _index(made[kind].db_url(), there=kind[1] == "yes")
            grade_one(made[kind], assignment)  # imports
        for _ in range(MEASURED):
            for kind in random.sample(kinds, len(kinds)):
                begun = server_cpu()
                measured = grade_one(made[kind], assignment)
                rows[kind].append((*measured, server_cpu() - begun))
        for size, indexes in kinds:
            cpu, sql, count = (statistics.median(row[column] for row in rows[size, indexes]) for column in range(3))
            server = statistics.mean(row[3] for row in rows[size, indexes])
            cells = (name, f"{size:,}", indexes, f"{cpu:.0f}", f"{sql:.1f}", f"{server:.0f}", f"{count:.0f}")
            print(f"| {' | '.join(cells)} |", flush=True)


def _index(url: str, *, there: bool) -> None:
    import sqlalchemy

    from proctor.records import database

    engine = sqlalchemy.create_engine(url)
    if there:
        database.add_indexes(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":  # as its autovacuum does some time after a bulk insert
            connection.execute(sqlalchemy.text("ANALYZE"))
    engine.dispose()


def plan(sizes: Sequence[int]) -> None:
    """Print what a run costs that finds everything unchanged."""
    from proctor.course import folders as courses
    from proctor.grading import class_run as grading
    from proctor.records.memory import fingerprint, remember
    from proctor.results.submission_result import SubmissionResult

    print("| class | seconds | ms a submission |\n|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="scale-") as folder:
            root, assignment = make_course(Path(folder))
            course = courses.load(root)
            insert_class(course.db_url(), assignment, size)
            course.state.mkdir()
            mark = ""
            for student in grading.graded_students(course, assignment):
                hand_in(root, assignment, student)
                (root / "autograded" / student / assignment).mkdir(parents=True)
                mark = mark or fingerprint(course, assignment, student)
                remember(course, assignment, SubmissionResult(student), mark)
            begun = time.perf_counter()
            run = grading.plan(course, assignment)
            seconds = time.perf_counter() - begun
            assert not run.todo
            print(f"| {size:,} | {seconds:.1f} | {seconds / size * 1e3:.2f} |", flush=True)


def throughput(workers: Sequence[int]) -> None:
    """Print how long a class of 60 takes on one machine and on a cluster of that many workers on the same machine."""
    import servers
    import tiny_course
    from commands import release

    print("| workers | seconds | of it, before the first | submissions a second after that |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        course = tiny_course.make(Path(folder) / "course")
        release(course, tiny_course.ASSIGNMENT)
        for number in range(60):
            tiny_course.submit(course, f"student{number:02}")
        for count in workers:
            _show(f"{count} processes, one machine", course, "--jobs", str(count))
            with servers.cluster(Path(folder) / f"dask{count}", count) as found:
                _show(f"{count} on Dask", course, "--scheduler", found.address)


def _show(label: str, course: Path, *options: str) -> None:
    begun, times = time.perf_counter(), []
    command = ["proctor", "grade", "--force", *options]
    with subprocess.Popen(command, cwd=course, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as grading:
        for line in grading.stderr or ():
            if re.match(r"\[\d+/", line):
                times.append(time.perf_counter() - begun)
    rate = (len(times) - 1) / (times[-1] - times[0])
    print(f"| {label} | {time.perf_counter() - begun:.1f} | {times[0]:.1f} | {rate:.1f} |", flush=True)


def shared(counts: Sequence[int]) -> None:
    """Print what a connection costs PostgreSQL, how many a submission opens, and what a job costs Dask's scheduler."""
    import servers
    import sqlalchemy
    from distributed import Client
    from sqlalchemy import event, pool

    from proctor.course import folders as courses

    (count,) = counts
    opened = []
    print("| what | CPU ms |\n|---|---|")
    with servers.postgres() as server, tempfile.TemporaryDirectory(prefix="scale-") as folder:
        os.environ["PROCTOR_DB_URL"] = server.fresh()
        root, assignment = make_course(Path(folder) / "course")
        course = courses.load(root)
        grade_one(course, assignment)
        engine = sqlalchemy.create_engine(course.db_url(), poolclass=pool.NullPool)
        begun, own = cpu_of(server.pid), time.process_time()
        for _ in range(count):
            engine.connect().close()
        print(f"| a connection, PostgreSQL's server | {(cpu_of(server.pid) - begun) / count:.1f} |")
        print(f"| a connection, the grading process | {(time.process_time() - own) * 1e3 / count:.1f} |", flush=True)
        event.listen(sqlalchemy.Engine, "connect", lambda *_: opened.append(1))
        begun = cpu_of(server.pid)
        for _ in range(MEASURED):
            grade_one(course, assignment)
        about = f"a submission, PostgreSQL's server ({len(opened) / MEASURED:.0f} connections)"
        print(f"| {about} | {(cpu_of(server.pid) - begun) / MEASURED:.1f} |", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="scale-") as folder,
        servers.cluster(Path(folder), 2) as found,
        Client(found.address, set_as_default=False) as client,
    ):
        client.gather(client.map(abs, range(10), pure=False))
        begun = cpu_of(found.scheduler.pid)
        client.gather(client.map(abs, range(count), pure=False))
        print(f"| a job, Dask's scheduler | {(cpu_of(found.scheduler.pid) - begun) / count:.1f} |", flush=True)


COMMANDS: dict[str, tuple[Callable[[Sequence[int]], None], list[int]]] = {
    "bookkeeping": (bookkeeping, [1000, 10_000]),
    "plan": (plan, [1000, 10_000]),
    "throughput": (throughput, [1, 2, 3]),
    "shared": (shared, [500]),
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    command, default = COMMANDS[sys.argv[1]]
    command([int(word) for word in sys.argv[2:]] or default)
