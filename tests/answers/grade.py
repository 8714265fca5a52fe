"""Grades answers of the catalogue through the real hidden tests, fast: no kernel, one forked process for each answer.

Each process runs the notebook from top to bottom, with the answer in place of the solutions, and the hidden tests where
the grader runs them. Run as a program, because it must fork before TensorFlow has started its threads: it reads a JSON
list of jobs from standard input, ``{"name", "code": {function: source}, "seeds": [...]}``, and writes one JSON line for
each job and seed: ``{"name", "seed", "cells": {test cell: [[test, points, outcome, message], ...]}}``.
"""

import contextlib
import json
import linecache
import os
import signal
import sys
import tempfile
from pathlib import Path
from unittest.mock import MagicMock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import matplotlib.pyplot  # noqa: F401 - imported before the fork, so that each child finds it in place
import pytest  # noqa: F401
import tensorflow as tf

from proctor import hidden_tests, in_place

ROOT = Path(__file__).parents[2]
GRADER_TESTS = ROOT / "grader_tests"
NOTEBOOK = ROOT / "source" / "custom_training_basics" / "custom_training_basics.ipynb"
LAST = "test_training_run"  # the cells below it are for exploring
SECONDS = 600


def code_cells() -> list[tuple[str, str]]:
    """Grade id (or ``""``) and source of the notebook's code cells, as far as they matter for the tests."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    found = [
        (cell["metadata"].get("nbgrader", {}).get("grade_id") or "", "".join(cell["source"]))
        for cell in cells
        if cell["cell_type"] == "code"
    ]
    return found[: [name for name, _ in found].index(LAST) + 1]


def run(source: str, position: int, names: dict[str, object]) -> None:
    """Execute one cell; as in a notebook, the next one runs whatever becomes of it."""
    file = f"<ipython-input-{position}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)  # AutoGraph reads it there
    with contextlib.suppress(Exception):
        exec(compile(source, file, "exec"), names)


def grade(code: dict[str, str], seed: int) -> dict[str, list[object]]:
    """Grade one answer in this very process; items by test cell."""
    names: dict[str, object] = {"__name__": "__main__"}
    verdicts: dict[str, list[object]] = {}
    for position, (name, source) in enumerate(code_cells()):
        visible, path = hidden_tests.split(code.get(name, source))
        run(visible, position, names)
        if name == "imports":
            names["plt"] = MagicMock()  # pictures take time and decide nothing
        if path:
            file = hidden_tests.find(GRADER_TESTS, path)
            items = hidden_tests.run(file, in_place.in_process(names, file.parent), seed)
            verdicts[name] = [[item.name, item.points, item.outcome, item.message] for item in items]
    return verdicts


def grade_in_child(job: dict[str, object], lines: Path) -> int:
    """Fork a process that grades one job and writes its lines to a file; returns the process's id."""
    child = os.fork()
    if child:
        return child
    signal.alarm(SECONDS)  # an answer that never ends is ended, and missed by whoever reads the results
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    if not os.environ.get("GRADE_VERBOSE"):
        os.dup2(nowhere, 2)
    with contextlib.suppress(BaseException), lines.open("w") as file:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        for seed in job["seeds"]:
            cells = grade(job["code"], seed)
            file.write(json.dumps({"name": job["name"], "seed": seed, "cells": cells}) + "\n")
    os._exit(0)


def main() -> None:
    """Grade the jobs on standard input, as many at a time as there are processors."""
    waiting, running = json.load(sys.stdin), {}
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                lines = Path(folder) / str(len(waiting))
                running[grade_in_child(waiting.pop(0), lines)] = lines
            child, _ = os.wait()
            sys.stdout.write(running.pop(child).read_text())
            sys.stdout.flush()


if __name__ == "__main__":
    main()
