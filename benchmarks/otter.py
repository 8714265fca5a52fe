"""The same notebook through otter-grader, for a row of `bench.py`: ``python benchmarks/otter.py [SUBMISSIONS]``.

otter-grader wants other versions of Jupyter's packages than ours, so it is installed into an environment of its own, in
``build/otter``. Where that cannot be done, the row is left out, with a word. `otter run` grades one submission in the
way of `otter grade`, without its Docker container. The tests are a line an exercise, far less than our hidden tests do.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import bench

ENVIRONMENT = bench.ROOT / "build/otter"
PACKAGES = ["otter-grader", "ipykernel", "matplotlib", f"tensorflow=={version('tensorflow')}"]
CHECKS = {
    "loss": "abs(float(loss(tf.constant([1.0, 2.0]), tf.constant([2.0, 4.0]))) - 2.5) < 1e-5",
    "apply_gradients": "m = Model(w=2.0); apply_gradients(m, 1.0, 1.0, 0.5); abs(float(m.w) - 1.5) < 1e-5",
    "train": "m = Model(w=1.0, b=0.0); abs(float(train(m, tf.constant([1.0]), tf.constant([3.0]), 0.1)) - 4) < 1e-5",
}


def install() -> str:
    """Make the environment if there is none yet; returns what is in the way, or ``""``."""
    ready = ENVIRONMENT / "ready"
    if ready.exists():
        return ""
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
    pip = [str(ENVIRONMENT / "bin/python"), "-m", "pip", "install", "--quiet", *PACKAGES]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    ready.touch()
    return ""


def otter(folder: Path, count: int) -> bench.Cost:
    """Grade `count` copies of the right notebook, one after another, as `otter run` does it."""
    (folder / "tests").mkdir(parents=True)
    for name, check in CHECKS.items():
        *before, last = check.split("; ")
        code = "".join(f">>> {line}\n" for line in [*before, last]) + "True"
        suite = {
            "cases": [{"code": code, "hidden": False, "locked": False}],
            "scored": True,
            "setup": "",
            "teardown": "",
        }
        test = {"name": name, "points": 4, "suites": [{**suite, "type": "doctest"}]}
        (folder / "tests" / f"{name}.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
    _otter(folder, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment")
    notebook = f"{bench.ASSIGNMENT}.ipynb"
    shutil.copy(bench.SAMPLE / bench.ASSIGNMENT / notebook, folder)

    def grade() -> None:
        for number in range(count):
            (folder / str(number)).mkdir()
            _otter(folder, "run", "-a", "autograder.zip", "-o", str(number), notebook)
            scores = json.loads((folder / str(number) / "results.json").read_text())["tests"]
            assert [test["score"] for test in scores if "score" in test] == [4.0] * len(CHECKS), scores

    return bench.measured("otter run, one after another", count, grade)


def _otter(folder: Path, *words: str) -> None:
    path = f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [str(ENVIRONMENT / "bin/otter"), *words]
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"otter {' '.join(words)}: {done.stdout}{done.stderr}")


def main() -> None:
    """Print wall clock and CPU seconds of all submissions together, and their number; or why that cannot be told."""
    missing = install()
    if missing:
        sys.exit(f"otter-grader cannot be installed here: {missing}")
    with tempfile.TemporaryDirectory(prefix="proctor-otter-") as folder:
        cost = otter(Path(folder) / "otter", int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    print(f"{cost.wall:.3f} {cost.cpu:.3f} {cost.count}")


if __name__ == "__main__":
    main()
