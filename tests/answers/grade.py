"""Grades answers of the catalogue through the real hidden tests, fast: no kernel, one forked process for each answer.

Each process runs the notebook from top to bottom, with the answer in place of the solutions, and the hidden tests where
the grader runs them. Run as a program, because it must fork before TensorFlow has started its threads: it reads a JSON
list of jobs from standard input and writes, as they end, one JSON line for each job and seed, ``{"name", "seed",
"cells": {test cell: [[test, points, outcome, message], ...]}}``. A job is ``{"name", "code": {function: source},
"seeds": [...], "cells": [...], "grader_tests": folder}``: the hidden tests of these test cells (or all), for one seed
after the other before the notebook goes on, from this folder (or the course's).
"""

import contextlib
import gc
import json
import linecache
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import matplotlib.pyplot  # noqa: F401 - imported before the fork, so that each child finds it in place
import tensorflow as tf

from proctor.border.submission import Submission
from proctor.errors import KernelDied
from proctor.hidden_tests import in_place, run_line
from proctor.hidden_tests import session as hidden_tests
from proctor.hidden_tests.fixtures import Given
from proctor.render.words import message

ROOT = Path(__file__).parents[2]
GRADER_TESTS = ROOT / "grader_tests"
NOTEBOOK = ROOT / "source" / "custom_training_basics" / "custom_training_basics.ipynb"
LAST = "test_training_run"  # the cells below it are for exploring
SECONDS = 600, 60  # for an answer, and more for each seed: an answer that never ends is ended
Cells = dict[str, list[list[object]]]


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


def grade(job: dict[str, Any]) -> dict[int, Cells]:
    """Grade one answer in this very process; items by seed and test cell."""
    names: dict[str, object] = {"__name__": "__main__"}
    files, seeds = hidden_test_files(Path(job["grader_tests"])), job["seeds"]
    given = Given(in_place.in_process(names, next(iter(files.values())).parent), seeds[0])

    def run_notebook(run_file: hidden_tests.RunFile) -> dict[int, Cells]:
        found: dict[int, Cells] = {seed: {} for seed in seeds}
        for position, (name, source) in enumerate(code_cells()):
            run(run_line.split(job["code"].get(name, source))[0], position, names)
            if name == "imports":
                names["plt"] = MagicMock()  # pictures take time and decide nothing
            if name in files and name in job["cells"]:
                for given.seed in seeds:
                    items = run_file(files[name])
                    found[given.seed][name] = [[item.name, item.points, item.outcome, message(item)] for item in items]
        return found

    return hidden_tests.seeded_session([*files.values()], given, run_notebook)


def hidden_test_files(grader_tests: Path) -> dict[str, Path]:
    """The file of hidden tests of each test cell."""
    paths = {name: run_line.split(source)[1] for name, source in code_cells()}
    return {name: run_line.find(grader_tests, path) for name, path in paths.items() if path}


def grade_in_child(job: dict[str, Any], lines: Path) -> int:
    """Fork a process that grades one job and writes its lines to a file; returns the process's id."""
    child = os.fork()
    if child:
        return child
    signal.alarm(SECONDS[0] + SECONDS[1] * len(job["seeds"]))  # whoever reads the results misses the answer then
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    if not os.environ.get("GRADE_VERBOSE"):
        os.dup2(nowhere, 2)
    with contextlib.suppress(BaseException), lines.open("w") as file:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        for seed, cells in grade(job).items():
            file.write(json.dumps({"name": job["name"], "seed": seed, "cells": cells}) + "\n")
    os._exit(0)


def rehearse() -> None:
    """Let the hidden tests fail once: what they import and pytest sets up is then in place for every child.

    A notebook that answers nothing makes them run no TensorFlow operation, which would start its threads.
    """

    def gone(request: str) -> str:
        raise KernelDied

    files = [*hidden_test_files(GRADER_TESTS).values()]
    hidden_tests.session(files, Submission(gone), 0, lambda run_file: [run_file(file) for file in files])
    gc.collect()
    gc.freeze()  # what the children do not write to stays shared


def main() -> None:
    """Grade the jobs on standard input, as many at a time as there are processors."""
    waiting, running = json.load(sys.stdin), {}
    defaults = {"cells": [name for name, _ in code_cells()], "grader_tests": str(GRADER_TESTS)}
    rehearse()
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                lines = Path(folder) / str(len(waiting))
                running[grade_in_child({**defaults, **waiting.pop(0)}, lines)] = lines
            child, _ = os.wait()
            sys.stdout.write(running[child].read_text())
            sys.stdout.flush()
            running.pop(child).unlink()


if __name__ == "__main__":
    main()
