"""What a submission costs: stock nbgrader, ours, and the floor, side by side in one run. `make bench` calls it.

The class is made from the released notebook with right answers; everybody hands in the same. Seconds depend on the
machine and on what else it does, so only the ratios within one run mean something. Writes docs/benchmark.md.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = "custom_training_basics"
SAMPLE = ROOT / "submitted/sample-ada"
sys.path.insert(0, str(ROOT / "tests/support"))

STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "stock"
"""


@dataclass
class Cost:
    """Wall clock and CPU of `count` submissions, in seconds, start-up included."""

    name: str
    count: int
    wall: float
    cpu: float
    scores: tuple[float, ...] = ()

    @property
    def wall_each(self) -> float:
        return self.wall / self.count

    @property
    def cpu_each(self) -> float:
        return self.cpu / self.count


def measured(name: str, count: int, work: Callable[[], object]) -> Cost:
    """Run `work` and its child processes, and say what they cost."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    return Cost(name, count, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def command(course: Path, *words: str) -> None:
    """Run a command of the environment in a course; stop with its output if it fails."""
    done = subprocess.run(words, cwd=course, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stdout}{done.stderr}")


def real_course(folder: Path, count: int, config: str | None = None) -> Path:
    """A copy of this course in which `count` students have handed in the same right notebook."""
    folder.mkdir(parents=True)
    for name in ("source", "grader_tests"):
        shutil.copytree(ROOT / name, folder / name)
    if config is None:
        shutil.copy(ROOT / "nbgrader_config.py", folder)
    else:
        (folder / "nbgrader_config.py").write_text(config)
    for number in range(count):
        shutil.copytree(SAMPLE, folder / "submitted" / f"s{number:04}")
    command(folder, "nbgrader", "generate_assignment", ASSIGNMENT, "--create")
    return folder


def scores(course: Path, assignment: str) -> tuple[float, ...]:
    """All different totals in the gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return tuple(sorted({submission.score for submission in gradebook.assignment_submissions(assignment)}))


def stock(folder: Path, count: int) -> Cost:
    """Stock `nbgrader autograde`, the hidden tests inside the notebook as their in-place line runs them."""
    course = real_course(folder, count, STOCK_CONFIG)
    cost = measured("stock nbgrader", count, lambda: command(course, "nbgrader", "autograde", ASSIGNMENT))
    cost.scores = scores(course, ASSIGNMENT)
    return cost


def ours(folder: Path, count: int, jobs: int, all_cells: bool = False) -> Cost:
    """`proctor grade` with `jobs` at a time, as it comes or with the cells below the last graded one run, too."""
    course = real_course(folder, count)
    if all_cells:
        with (course / "nbgrader_config.py").open("a") as config:
            config.write("\nc.ProctoredExecute.run_all_cells = True\n")
    work = ["proctor", "grade", "--jobs", str(jobs)]
    name = f"proctor grade --jobs {jobs}{', all cells' if all_cells else ''}"
    cost = measured(name, count, lambda: command(course, *work))
    cost.scores = scores(course, ASSIGNMENT)
    return cost


FLOOR = """
import io, json, os, re, sys
nb, count = json.load(open(sys.argv[1])), int(sys.argv[2])
import tensorflow, numpy, matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
from proctor.kernels.rehearsal import draw_a_sample
draw_a_sample()
def show(*_, **__):
    for number in plt.get_fignums():
        plt.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
    plt.close("all")
def run():
    plt.show = show
    names = {"__name__": "__main__"}
    sys.stdout = open(os.devnull, "w")
    for cell in nb["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "<cell>", "exec"), names)
            show()
for _ in range(count):
    child = os.fork()
    if child == 0:
        run()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit("a cell failed")
"""


def floor(count: int) -> Cost:
    """Fork a warm process and execute the cells, one notebook after another: no Jupyter, no sandbox, no tests."""
    notebook = SAMPLE / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    work = [sys.executable, "-c", FLOOR, str(notebook), str(count)]
    return measured("floor", count, lambda: command(ROOT, *work))


def tiny(folder: Path, count: int) -> Cost:
    """A class with answers that cost next to nothing, to see what grows with its size."""
    import tiny_course

    course = tiny_course.make(folder)
    command(course, "nbgrader", "generate_assignment", "tiny", "--create")
    for number in range(count):
        tiny_course.submit(course, f"s{number:05}")
    jobs = str(len(os.sched_getaffinity(0)))
    return measured(f"cheap answers, {count}", count, lambda: command(course, "proctor", "grade", "--jobs", jobs))


def otter(count: int) -> Cost | str:
    """otter-grader on the same notebook, in an environment of its own; or why there is no such row."""
    work = [sys.executable, str(ROOT / "benchmarks/otter.py"), str(count)]
    done = subprocess.run(work, capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["otter.py failed"])[-1]
    wall, cpu, _ = map(float, done.stdout.split())
    return Cost("otter run, one after another", count, wall, cpu)


def printed_by(script: str, *options: str) -> str:
    """What another benchmark of this folder prints."""
    work = [sys.executable, str(ROOT / "benchmarks" / script), *options]
    return subprocess.run(work, capture_output=True, text=True, check=True).stdout.strip()


def table(rows: Sequence[Cost], base: Cost) -> str:
    """Markdown of the costs a submission, with ratios to `base`."""
    lines = ["| | submissions | s each | CPU-s each | throughput, times stock | scores |", "|---|---|---|---|---|---|"]
    for row in rows:
        found = ", ".join(f"{score:g}" for score in row.scores) or "-"
        times = f"{base.wall_each / row.wall_each:.1f}"
        lines.append(f"| {row.name} | {row.count} | {row.wall_each:.2f} | {row.cpu_each:.2f} | {times} | {found} |")
    return "\n".join(lines)


def by_size(rows: Sequence[Cost]) -> str:
    """Markdown of what a submission costs in classes of several sizes."""
    lines = ["| submissions | seconds each | CPU-seconds each |", "|--:|--:|--:|"]
    return "\n".join([*lines, *(f"| {row.count} | {row.wall_each:.3f} | {row.cpu_each:.3f} |" for row in rows)])


def main() -> None:
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stock", type=int, default=5, help="submissions for stock nbgrader")
    parser.add_argument("--ours", type=int, default=100, help="submissions for ours with all cores")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 100, 1000], help="classes of cheap answers")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmark.md")
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="proctor-bench-") as name:
        folder = Path(name)
        base = stock(folder / "stock", options.stock)
        rows = [base, ours(folder / "one", max(5, options.ours // 5), 1), ours(folder / "all", options.ours, cores)]
        rows.append(ours(folder / "all_cells", options.ours, cores, all_cells=True))
        lowest, others = floor(max(5, options.ours // 4)), otter(options.stock)
        sizes = [tiny(folder / f"tiny{size}", size) for size in options.sizes]
        parts, kernels = printed_by("where_it_goes.py"), printed_by("kernel_cost.py", "8")
    page = PAGE.format(
        cores=cores,
        command=" ".join(["python", "benchmarks/bench.py", *sys.argv[1:]]),
        costs=table([*rows, lowest, *([others] if isinstance(others, Cost) else [])], base),
        others=OTTER if isinstance(others, Cost) else f"A row of otter-grader is left out: {others}",
        seconds=f"{rows[2].wall:.0f}",
        count=options.ours,
        floor=f"{rows[3].cpu_each / lowest.cpu_each:.2f}",
        limit=f"{base.wall_each / lowest.cpu_each * cores:.1f}",
        sizes=by_size(sizes),
        parts=parts,
        kernels=textwrap.indent(kernels, "    "),
    )
    options.page.write_text(page, encoding="utf-8")
    print(page)
    print(json.dumps({row.name: [row.count, row.wall, row.cpu] for row in [*rows, lowest, *sizes]}))


OTTER = (
    "otter-grader has the same notebook and one line to check for each exercise, in an environment of its own, without "
    "its Docker container (`python benchmarks/otter.py`)."
)
PAGE = """# What a submission costs

Made by `{command}` on a machine with {cores} cores,
start-up included everywhere. Seconds depend on the machine; compare the ratios within this one run. The notebook is the
real one, with right answers; in the first table each row graded the same file.

{costs}

A class of {count} on {cores} cores takes {seconds} seconds, from the command to the last score in the gradebook.

{others}

With all cells run, our CPU is {floor} times the floor's. The floor forks a warm process and executes all cells: no
Jupyter, no sandbox, no hidden tests, no gradebook. With all {cores} cores and nothing else to do it would be
{limit} times stock.

## Where it goes

{parts}

## Does the cost grow with the class?

Answers that cost next to nothing (a notebook without TensorFlow), so that what is left is the engine and nbgrader's
bookkeeping:

{sizes}

## One kernel more

{kernels}
"""

if __name__ == "__main__":
    main()
