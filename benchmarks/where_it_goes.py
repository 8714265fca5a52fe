"""Where the CPU time of one submission goes: in the student's kernel and in the grader's process, by what is done.

    python benchmarks/where_it_goes.py [SUBMISSIONS]

Grades copies of one right notebook, one after another, in this process, as a worker of `proctor grade` does.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench

from proctor.autograde import execute
from proctor.course import folders as courses
from proctor.executors import pool as workers
from proctor.grading.student import grade_student
from proctor.notebook.student_kernel import StudentKernel
from proctor.records.memory import in_common

WARM_UP = 2  # submissions that fill caches first

kernel_ms: Counter[str] = Counter()
grader_ms: Counter[str] = Counter()


def kernel_cpu(kernel: StudentKernel) -> float:
    """CPU milliseconds of a kernel's threads so far."""
    threads = Path(f"/proc/{kernel._manager.provisioner.pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e6


def measured(what: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method of `StudentKernel` to count what it costs at both ends."""

    def wrapped(self: StudentKernel, *args: Any) -> Any:
        before, started = kernel_cpu(self), time.process_time()
        result = method(self, *args)
        grader_ms[what] += 1000 * (time.process_time() - started)
        kernel_ms[what] += kernel_cpu(self) - before
        return result

    return wrapped


def in_notebook(*args: Any) -> Any:
    """Count what the grader does from a notebook's first cell to its last."""
    started = time.process_time()
    result = grade_notebook(*args)
    grader_ms["notebook"] += 1000 * (time.process_time() - started)
    return result


def started(*args: Any) -> StudentKernel:
    """Count what a kernel has cost when it first answers."""
    before = time.process_time()
    kernel = start(*args)
    grader_ms["start"] += 1000 * (time.process_time() - before)
    kernel_ms["start"] += kernel_cpu(kernel)
    return kernel


start, grade_notebook = StudentKernel.start, execute.grade_notebook


def main() -> None:
    """Grade, and print milliseconds a submission."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    StudentKernel.run_cell = measured("cells", StudentKernel.run_cell)
    StudentKernel.call = measured("calls", StudentKernel.call)
    StudentKernel.start = started
    execute.grade_notebook = in_notebook
    settings = courses.load(bench.ROOT).settings
    with tempfile.TemporaryDirectory() as folder, workers.warm(settings.preload, settings.environment):
        course = bench.real_course(Path(folder) / "course", WARM_UP + count)
        common = in_common(courses.load(course), bench.ASSIGNMENT)  # `proctor grade` works it out once
        for number in range(WARM_UP + count):
            if number == WARM_UP:
                kernel_ms.clear()
                grader_ms.clear()
                before = time.process_time()
            outcome = grade_student(str(course), bench.ASSIGNMENT, f"s{number:04}", {}, common)
            if outcome.error:
                sys.exit(outcome.error)
        total = 1000 * (time.process_time() - before)
    ends = {what: grader_ms[what] for what in ("start", "cells", "calls")}
    rows = [
        ("start a kernel", kernel_ms["start"], ends["start"]),
        ("run the cells, drawing included", kernel_ms["cells"], ends["cells"]),
        ("the hidden tests' calls", kernel_ms["calls"], ends["calls"]),
        ("the hidden tests, the reference, pytest", 0.0, grader_ms["notebook"] - sum(ends.values())),
        ("nbgrader: files, gradebook, restoring cells", 0.0, total - grader_ms["notebook"]),
    ]
    print("| CPU milliseconds a submission | the student's kernel | the grader |\n|---|--:|--:|")
    for what, kernel, grader in [*rows, ("together", sum(row[1] for row in rows), sum(row[2] for row in rows))]:
        print(f"| {what} | {kernel / count:.0f} | {grader / count:.0f} |")


if __name__ == "__main__":
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    main()
