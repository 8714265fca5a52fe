"""Three assignments with all that nbgrader documents, graded by stock nbgrader and by ours: the same gradebook.

Numerical methods with parts that a person grades, through the exchange; machine learning with hidden tests in the cells,
from a platform's archive; seven notebooks with a helper module and data, put into the folder by hand.
"""

import csv
import getpass
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import quick
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook

ME = getpass.getuser()
DUE = "2026-03-01 12:00:00 UTC"
STOCK = """
c = get_config()
c.CourseDirectory.course_id = "beside"
c.Exchange.root = {exchange!r}
c.ClearSolutions.code_stub = {{"python": "raise NotImplementedError"}}
c.AssignLatePenalties.plugin_class = "late.APointADay"
c.FileNameCollectorPlugin.named_regexp = r".*_(?P<student_id>\\w+)_attempt_(?P<timestamp>[0-9\\-]+)_(?P<file_id>\\w+)\\.ipynb"
"""
OURS = f"{STOCK}\nimport proctor\nproctor.configure(c)\nc.ProctoredExecute.preload = ['numpy']\n"
# A course's own rule, in a module beside its configuration, as nbgrader's documentation has it.
LATE = """
from nbgrader.plugins import LateSubmissionPlugin

class APointADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return min(score / 2, total_seconds_late // 86400)
"""
Student = Callable[[str], str]  # what becomes of a solution in a student's notebook


def about(grade_id: str, **more: object) -> dict[str, object]:
    """The metadata that nbgrader's toolbar would write."""
    base = {"schema_version": 3, "grade": False, "solution": False, "locked": True, "task": False}
    return {"nbgrader": {**base, "grade_id": grade_id, **more}}


def given(name: str, source: str) -> Any:
    return new_code_cell(source, metadata=about(name))


def answer(name: str, source: str) -> Any:
    head, _, body = source.partition("\n")
    solution = f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
    return new_code_cell(solution, metadata=about(name, solution=True, locked=False))


def checks(name: str, points: float, visible: str, hidden: str = "") -> Any:
    inside = f"\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS" if hidden else ""
    return new_code_cell(visible + inside, metadata=about(name, grade=True, points=points))


def by_hand(name: str, points: float, cell: Any) -> Any:
    cell.metadata = about(name, grade=True, solution=True, locked=False, points=points)
    return cell


def task(name: str, points: float, text: str) -> Any:
    return new_markdown_cell(text, metadata=about(name, task=True, points=points))


METHODS = {
    "roots": [
        new_markdown_cell("# Roots", metadata=about("title")),
        given("imports", "import math\nimport numpy as np"),
        answer("newton", "def newton(f, df, x):\n    for _ in range(50):\n        x = x - f(x) / df(x)\n    return x"),
        checks("test_newton", 3, "assert abs(newton(lambda x: x * x - 2, lambda x: 2 * x, 1.0) - math.sqrt(2)) < 1e-9",
              "assert abs(newton(math.cos, lambda x: -math.sin(x), 1.0) - math.pi / 2) < 1e-9"),
        by_hand("convergence", 4, new_markdown_cell("=== BEGIN MARK SCHEME ===\nquadratic\n=== END MARK SCHEME ===")),
        by_hand("plot", 2, new_code_cell("### BEGIN SOLUTION\nprint(newton(np.sin, np.cos, 3.0))\n### END SOLUTION")),
        task("experiment", 5, "Start from ten points, and describe what you see."),
    ]
}  # fmt: skip
LEARNING = {
    "regression": [
        given("data", "import numpy as np\nimport toolbox\nx, y = toolbox.load('points.csv')"),
        answer("fit", "def fit(x, y):\n    A = np.stack([x, np.ones_like(x)], axis=1)\n    return np.linalg.lstsq(A, y, rcond=None)[0]"),
        checks("test_fit", 4, "assert fit(x, y).shape == (2,)", "assert np.allclose(fit(x, y), [2, 1])\nassert np.allclose(fit(x, -y), [-2, -1])"),
        answer("score", "def score(y, guess):\n    return 1 - ((y - guess) ** 2).sum() / ((y - y.mean()) ** 2).sum()"),
        checks("test_score", 3, "points = 0\nif score(y, y) == 1: points += 1\nif abs(score(y, 0 * y + y.mean())) < 1e-9: points += 1.5\npoints"),
    ],
    "clusters": [
        given("data", "import numpy as np"),
        answer("nearest", "def nearest(x, centres):\n    return np.abs(x[:, None] - centres[None, :]).argmin(axis=1)"),
        checks("test", 2, "assert list(nearest(np.array([0., 9.]), np.array([1., 8.]))) == [0, 1]", "assert nearest(np.zeros(3), np.arange(2.)).shape == (3,)"),
        checks("extra", 0, "'no points: only to be seen'"),
    ],
}  # fmt: skip
SEVEN = {
    f"week {number}": [
        given("helper", "import toolbox"),
        answer("f", f"def f(x):\n    return toolbox.load('points.csv')[0][x] * {number}"),
        checks("test", number, f"assert f(0) == 0 * {number}", f"assert f(2) == 2 * {number}"),
    ]
    for number in range(1, 8)
}
ASSIGNMENTS = {"methods": METHODS, "learning": LEARNING, "seven": SEVEN}
FILES = {
    "toolbox.py": "import numpy as np\ndef load(name):\n    return np.loadtxt(name, delimiter=',').T\n",
    "points.csv": "".join(f"{x},{2 * x + 1}\n" for x in range(10)),
}


def right(solution: str) -> str:
    return solution


def untouched(solution: str) -> str:
    return ""


def wrong(solution: str) -> str:
    """Looks right to the visible tests, if at all."""
    return re.sub(r"return .*", "return 0", solution)


def silent(solution: str) -> str:
    """Wrong, and no error is to be seen."""
    return "get_ipython().showtraceback = lambda *a, **k: None\n" + wrong(solution)


def forged(solution: str) -> str:
    """Wrong, and every displayed value claims points."""
    return (
        "import sys\n_show = sys.displayhook\nsys.displayhook = lambda value: None if value is None else _show(99)\n"
        + wrong(solution)
    )


HAND_INS: dict[str, dict[str, Student]] = {
    "methods": {ME: right, "wrong": wrong, "untouched": untouched, "silent": silent},
    "learning": {"right": right, "wrong": wrong, "silent": silent},
    "seven": {"right": right},
}
LATE_BY = {"right": "2026-03-03 13:00:00 UTC", "wrong": "2026-03-01 12:00:01 UTC", "silent": "2026-03-09 12:00:00 UTC"}


class Engine:
    """A course, and how it is graded: by ours, or in a process that has never heard of us."""

    def __init__(self, top: Path, config: str, stock: bool) -> None:
        self.top, self.root, self.stock = top, top / "course", stock
        self.homes = {"HOME": str(top / "home"), "JUPYTER_DATA_DIR": str(top / "home/data")}
        exchange = top / "exchange"
        for folder in (self.root / "source", top / "student", exchange):
            folder.mkdir(parents=True)
        exchange.chmod(0o777)
        settings = config.format(exchange=str(exchange))
        (self.root / "nbgrader_config.py").write_text(settings)
        (self.root / "late.py").write_text(LATE)
        (top / "student/nbgrader_config.py").write_text(STOCK.format(exchange=str(exchange)))

    def run(self, *command: str, folder: str = "course") -> None:
        done = quick.run(self.top / folder, command, **self.homes)
        assert done.returncode == 0, done.stderr[-3000:]

    def grade(self, assignment: str, *more: str) -> None:
        if not self.stock:
            self.run("proctor", "grade", assignment, *more)
            return
        command = [sys.executable, "-m", "nbgrader", "autograde", assignment, "--create", *more]
        subprocess.run(command, cwd=self.root, check=True, capture_output=True)

    def make(self) -> None:
        """Write the sources, release them, and hand in."""
        for assignment, notebooks in ASSIGNMENTS.items():
            folder = self.root / "source" / assignment
            folder.mkdir()
            for name, text in FILES.items():
                (folder / name).write_text(text)
            for name, cells in notebooks.items():
                kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
                nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / f"{name}.ipynb")
            self.run("nbgrader", "generate_assignment", assignment, "--create")
            self.run("nbgrader", "db", "assignment", "add", assignment, f"--duedate={DUE}")


def solved(release: Path, solve: Student) -> bytes:
    """A released notebook with a student's answers."""
    nb = nbformat.read(release, as_version=4)
    source = {cell.metadata.nbgrader.grade_id: cell.source for cell in ASSIGNMENTS[release.parent.name][release.stem]}
    for cell in nb.cells:
        if cell.metadata.nbgrader.solution:
            cell.source = solve(source[cell.metadata.nbgrader.grade_id]) or cell.source
    return nbformat.writes(nb).encode()


def hand_in(engine: Engine) -> None:
    """One goes through the exchange, some come out of an archive, the others lie in the folder."""
    engine.run("nbgrader", "release_assignment", "methods")
    engine.run("nbgrader", "fetch_assignment", "methods", folder="student")
    mine = engine.top / "student/methods/roots.ipynb"
    mine.write_bytes(solved(engine.root / "release/methods/roots.ipynb", right))
    engine.run("nbgrader", "submit", "methods", folder="student")
    engine.run("nbgrader", "collect", "methods")
    archive = engine.root / "downloaded/learning/archive"
    archive.mkdir(parents=True)
    with zipfile.ZipFile(archive / "all.zip", "w") as zipped:
        for student, solve in HAND_INS["learning"].items():
            for name in LEARNING:
                place = f"hw_{student}_attempt_2026-03-02-13-00-00_{name}.ipynb"
                zipped.writestr(place, solved(engine.root / f"release/learning/{name}.ipynb", solve))
    engine.run("nbgrader", "zip_collect", "learning", "--force")
    for student in HAND_INS["learning"]:  # a platform knows nothing of what lies beside a notebook
        for name in FILES:
            shutil.copy(engine.root / "release/learning" / name, engine.root / "submitted" / student / "learning")
    for assignment in ("methods", "seven"):
        for student, solve in HAND_INS[assignment].items():
            folder = engine.root / "submitted" / student / assignment
            if folder.exists():
                continue
            shutil.copytree(engine.root / "release" / assignment, folder)
            for path in folder.glob("*.ipynb"):
                weeks = path.stem[-1]
                alike = {"2": wrong, "3": untouched, "4": silent}.get(weeks, solve) if assignment == "seven" else solve
                path.write_bytes(solved(engine.root / "release" / assignment / path.name, alike))
            if student in LATE_BY:
                (folder / "timestamp.txt").write_text(LATE_BY[student])
    (engine.root / "submitted/right/seven/week 7.ipynb").unlink()


def by_a_person(engine: Engine) -> None:
    """What formgrader would write: points and extra credit, comments, an override of a test's points."""
    with Gradebook(f"sqlite:///{engine.root}/gradebook.db") as book:
        for student, cell, points, extra in (
            (ME, "convergence", 4, None), (ME, "plot", 1.5, 1), (ME, "experiment", 5, None),
            ("wrong", "convergence", 2, None), ("silent", "test_newton", 1, None), ("silent", "experiment", 3, 0.5),
        ):  # fmt: skip
            grade = book.find_grade(cell, "roots", "methods", student)
            grade.manual_score, grade.extra_credit, grade.needs_manual_grade = points, extra, False
        book.find_comment("convergence", "roots", "methods", ME).manual_comment = "Well said."
        book.db.commit()


def gradebook(engine: Engine) -> dict[object, object]:
    """All that the gradebook has of the submissions, but for ids and the time of the exchange's."""
    found: dict[object, object] = {}
    with Gradebook(f"sqlite:///{engine.root}/gradebook.db") as book:
        for assignment in ASSIGNMENTS:
            for submission in book.assignment_submissions(assignment):
                who = (assignment, submission.student_id)
                late = "" if submission.student_id == ME else submission.total_seconds_late
                found[who] = (late, submission.score, submission.max_score, submission.needs_manual_grade)
                for notebook in submission.notebooks:
                    found[(*who, notebook.name)] = (
                        notebook.score,
                        notebook.late_submission_penalty,
                        notebook.failed_tests,
                    )
                    for grade in notebook.grades:
                        found[(*who, notebook.name, grade.name)] = (
                            grade.auto_score,
                            grade.manual_score,
                            grade.extra_credit,
                            grade.max_score,
                            grade.needs_manual_grade,
                        )
                    for comment in notebook.comments:
                        found[(*who, notebook.name, comment.name, "comment")] = comment.comment
    return found  # fmt: skip


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """Both courses, released, handed in and graded."""
    made = {}
    for name, config, stock in (("stock", STOCK, True), ("ours", OURS, False)):
        engine = made[name] = Engine(tmp_path_factory.mktemp(name), config, stock)
        engine.make()
        hand_in(engine)
        for assignment in ASSIGNMENTS:
            engine.grade(assignment)
    return made


@pytest.fixture(scope="module")
def graded(engines):
    """The gradebooks after grading, and again after a person's points and another run."""
    first = {name: gradebook(engine) for name, engine in engines.items()}
    for engine in engines.values():
        by_a_person(engine)
        for student in (ME, "silent"):
            engine.grade("methods", "--force", f"--student={student}")
    return first, {name: gradebook(engine) for name, engine in engines.items()}


def test_the_gradebooks_are_the_same(graded):
    """Each cell, its points and comment, each notebook's penalty: before a person has graded, and after."""
    first, second = graded
    assert len(first["stock"]) > 80
    assert first["ours"] == first["stock"]
    assert second["ours"] == second["stock"]


def test_the_course_is_one_that_tells_engines_apart(graded):
    """Points of every kind are there: partial ones, ones of a person, extra credit, penalties, and none."""
    _, second = graded
    ours = second["ours"]
    assert ours["learning", "right", "regression", "test_score"][0] == 2.5
    assert ours["methods", ME][1:3] == (14.5, 14)  # with a point of extra credit
    assert ours["methods", "silent", "roots"][1] == 2.25
    assert ours["methods", "untouched"][1] == 0
    assert ours["seven", "right"][1] == 12  # of seven weeks: two wrong, one untouched, one not handed in


def test_nbgraders_own_export_is_the_same(graded, engines, tmp_path):
    """Scores, penalties and totals as they leave the course."""
    tables = []
    for name, engine in engines.items():
        engine.run("nbgrader", "export", f"--to={tmp_path / name}.csv")
        with (tmp_path / f"{name}.csv").open(newline="") as file:
            rows = [{**row, "timestamp": ""} for row in csv.DictReader(file)]
        tables.append(sorted(rows, key=lambda row: (row["assignment"], row["student_id"])))
    assert tables[0] == tables[1]
    assert len(tables[0]) == len(ASSIGNMENTS) * 5
