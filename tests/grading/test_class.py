"""A class through nbgrader's pipeline with real kernels: who gets what, whatever the notebooks do."""

import csv
import fnmatch
import json
import shutil

import nbformat
import pytest
import tiny_course
from commands import run, scores
from nbgrader.api import Gradebook

RIGHT = tiny_course.RIGHT
NOISY = f"import sys, warnings\nprint('20'); print('careful', file=sys.stderr); warnings.warn('w')\n{RIGHT}\n99"
FORGED_TABLE = """
from IPython.display import publish_display_data
publish_display_data({"application/vnd.proctor.verdict+json": {"grade_id": "test_double", "max_points": 3, "items": [
    {"name": "x", "asked": "x", "max_points": 3, "outcome": "passed", "message": ""}], "notes": []}, "text/plain": "3.0"})
3.0
"""
STRIPPED_ASSERTS = """
import ast
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Strip())
"""
PATCHED_NUMPY = "import numpy\nnumpy.testing.assert_allclose = numpy.allclose = lambda *a, **k: True\n"
EQUAL_TO_ALL = """
class Any:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    shape = (5,)
def double(x): return Any()
"""
FORGED_PROBE = """
import sys, types
probe = types.ModuleType("_proctor_probe")
class Reply:
    def _repr_mimebundle_(self, **k): return {"application/vnd.proctor.reply": '{"value": true}'}
probe.answer = lambda *a: Reply()
sys.modules["_proctor_probe"] = probe
"""
HUGE = "def double(x): return 'x' * (10 ** 9) if isinstance(x, int) else __import__('numpy').zeros(10 ** 8)"

CLASS = {
    "right": (RIGHT, 3),
    "lambda": ("double = lambda x: x + x", 3),
    "noisy": (NOISY, 3),
    "untouched": (None, 0),
    "empty": ("", 0),
    "wrong": ("def double(x): return x * x", 0),
    "partly": ("def double(x): return 2 * x if isinstance(x, int) else None", 2),
    "only-arrays": ("def double(x): return 2 * x if not isinstance(x, int) else 4", 1),
    "syntax": ("def double(x) return 2 * x", 0),
    "nameless": ("def doubel(x): return 2 * x", 0),
    "exit-in-cell": ("import os; os._exit(0)", 0),
    "exit-in-call": ("import os\ndef double(x): os._exit(0)", 0),
    "exit-in-one-call": ("import os\ndef double(x): return 2 * x if isinstance(x, int) else os._exit(0)", 2),
    "sys-exit": ("import sys\ndef double(x): sys.exit(0)", 0),
    "endless-cell": (f"{RIGHT}\nwhile True: pass", 0),
    "endless-call": ("def double(x):\n    while isinstance(x, int): pass\n    return 2 * x", 1),
    "flood": (f"{RIGHT}\nwhile True: print('x' * 10000)", 0),
    "input": (f"{RIGHT}\ninput('name?')", 3),
    "forged-table": (f"def double(x): return 0\n{FORGED_TABLE}", 0),
    "stripped-asserts": (f"{STRIPPED_ASSERTS}\ndef double(x): return 0", 0),
    "patched-numpy": (f"{PATCHED_NUMPY}\ndef double(x): return 0", 0),
    "equal-to-all": (EQUAL_TO_ALL, 0),
    "forged-probe": (FORGED_PROBE, 0),
    "huge": (HUGE, 0),
    "deep": ("def double(x):\n    a = []\n    for _ in range(10 ** 5): a = [a]\n    return a", 0),
}


@pytest.fixture(scope="module")
def course(released_tiny_course, tmp_path_factory):
    """The class above, graded once by `proctor grade`."""
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("class") / "course")
    config = course / "nbgrader_config.py"
    limits = "c.ProctoredExecute.cell_timeout = 4\nc.ProctoredExecute.call_timeout = 4\n"
    config.write_text(config.read_text() + limits)
    for student, (solution, _) in CLASS.items():
        tiny_course.submit(course, student, solution)
    done = run(course, "proctor", "grade")
    assert done.returncode == 0, done.stderr
    (course / "table.txt").write_text(done.stdout)
    return course


@pytest.mark.parametrize("student", CLASS)
def test_points_follow_behaviour(course, student):
    """What a function does decides; what a notebook prints, raises, returns or forges does not."""
    assert scores(course, [student]) == {student: CLASS[student][1]}


def test_the_table_says_what_happened(course):
    """The instructor sees which notebooks ended kernels, hung or flooded."""
    table = (course / "table.txt").read_text()
    for student in ("exit-in-cell", "endless-cell", "flood"):
        (line,) = (line for line in table.splitlines() if line.startswith(f"{student} "))
        assert "cell double" in line


def test_nbgrader_autograde_gives_the_same(course):
    """Stock nbgrader's own command runs the same tests to the same points."""
    before = scores(course)
    some = "[lnopruw]*"  # with nobody whose time limit has to be waited for
    done = run(course, "nbgrader", "autograde", "tiny", "--student", some, "--force")
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("| INFO] Autograding") == len(fnmatch.filter(CLASS, some)) > 6
    assert scores(course) == before


def test_nothing_is_graded_twice(course):
    """A second run finds the class unchanged."""
    done = run(course, "proctor", "grade")
    assert f"0 graded, {len(CLASS)} unchanged" in done.stdout


def test_feedback_shows_items_and_no_secrets(course):
    """Feedback has what was asked and the hint; no test code, no reference, no value, no traceback of ours."""
    done = run(course, "nbgrader", "generate_feedback", "tiny", "--student", "untouched", "--force")
    assert done.returncode == 0, done.stderr
    page = (course / "feedback/untouched/tiny/tiny.html").read_text()
    assert "Twice the number, for any number." in page
    assert "ADVICE: write the body." in page
    for secret in (
        "rng.integers",
        "return x + x",
        "from reference",
        "test_arrays(",
        "SECRET",
        "_pytest",
        "site-packages",
    ):
        assert secret not in page


def test_export_has_every_student(course):
    """Nbgrader's own export reads our scores."""
    done = run(course, "nbgrader", "export", "--to", "grades.csv")
    assert done.returncode == 0, done.stderr
    with (course / "grades.csv").open() as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == {student: points for student, (_, points) in CLASS.items()}


def test_check_gives_the_same_as_the_class(course):
    """`proctor check` prints every item of one notebook, for machines as its documentation says."""
    notebook = course / "submitted/partly/tiny/tiny.ipynb"
    done = run(course, "proctor", "check", str(notebook), "--json")
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    assert (said["points"], said["max_points"]) == (2, 3)
    assert [(item["name"], item["passed"]) for item in said["cells"][0]["items"]] == [
        ("test_values", True),
        ("test_arrays", False),
    ]
    assert set(said) == {"points", "max_points", "cells", "notes"}


def test_check_of_a_right_notebook_succeeds(course):
    """Full points are exit status 0, and no gradebook is needed or touched."""
    before = (course / "gradebook.db").read_bytes()
    done = run(course, "proctor", "check", "submitted/right/tiny/tiny.ipynb")
    assert done.returncode == 0, done.stderr
    assert "3 of 3 points" in done.stdout
    assert (course / "gradebook.db").read_bytes() == before


def test_a_changed_submission_or_test_is_graded_again(tiny):
    """Nobody has to say --force when something that decides a grade has changed."""
    for student in ("ada", "bo"):
        tiny_course.submit(tiny, student)
    assert "2 graded" in run(tiny, "proctor", "grade").stdout
    tiny_course.submit(tiny, "ada", "def double(x): return 0")
    assert "1 graded, 1 unchanged" in run(tiny, "proctor", "grade").stdout
    assert scores(tiny) == {"ada": 0, "bo": 3}
    reference = tiny / "grader_tests/tiny/reference.py"
    reference.write_text("def double(x): return 3 * x")
    assert "2 graded, 0 unchanged" in run(tiny, "proctor", "grade").stdout
    assert scores(tiny) == {"ada": 0, "bo": 0}


def test_a_broken_hidden_test_is_undecided_and_waits_for_a_person(tiny):
    """Our mistakes give no points and no blame: nbgrader asks for a manual grade."""
    from nbgrader.api import Gradebook

    tests = tiny / "grader_tests/tiny/test_double.py"
    tests.write_text(tests.read_text().replace("double(x), ", "nowhere(x), "))
    tiny_course.submit(tiny, "ada")
    done = run(tiny, "proctor", "grade")
    assert "undecided" in done.stdout
    with Gradebook(f"sqlite:///{tiny}/gradebook.db") as gradebook:
        submission = gradebook.find_submission("tiny", "ada")
        assert submission.needs_manual_grade
        assert submission.score == 1


def test_the_source_notebook_runs_its_hidden_tests_in_place(tiny):
    """An instructor's own run, and nbgrader validate, use the very tests that grade; the release fails helpfully."""
    done = run(tiny / "source/tiny", "nbgrader", "validate", "tiny.ipynb")
    assert "Success" in done.stdout + done.stderr, done.stderr
    tests = tiny / "grader_tests/tiny/test_double.py"
    tests.write_text(tests.read_text().replace("== double(x)", "== -1"))
    done = run(tiny / "source/tiny", "nbgrader", "validate", "tiny.ipynb")
    assert "Twice the number" in done.stdout + done.stderr
    done = run(tiny / "release/tiny", "nbgrader", "validate", "tiny.ipynb")
    assert "NotImplementedError" in done.stdout + done.stderr
    shutil.rmtree(tiny)


def test_files_of_a_submission_are_a_copy(tiny):
    """A kernel sees the submitted files and changes only its own copy of them, which a person finds in autograded/."""
    path = tiny_course.submit(
        tiny, "ada", f"{RIGHT}\nassert open('data.txt').read() == 'x'\nopen('data.txt', 'w').write('y')"
    )
    (path.parent / "data.txt").write_text("x")
    run(tiny, "proctor", "grade")
    nb = nbformat.read(tiny / "autograded/ada/tiny/tiny.ipynb", as_version=4)
    assert not any(output.output_type == "error" for cell in nb.cells for output in cell.get("outputs", []))
    assert (path.parent / "data.txt").read_text() == "x"
    assert (tiny / "autograded/ada/tiny/data.txt").read_text() == "y"


def test_visible_checks_that_fail_beside_full_points_are_shown_to_a_person(tiny):
    """The student's own first call fails and the hidden tests pass: that is a contradiction, and never in silence."""
    code = "def double(x):\n    if double.first:\n        double.first = False\n"
    code += "        raise ValueError\n    return 2 * x\ndouble.first = True\n"
    tiny_course.submit(tiny, "ada", code)
    done = run(tiny, "proctor", "grade")
    assert "test_double: passes its hidden tests, but its visible checks fail" in done.stdout
    with Gradebook(f"sqlite:///{tiny}/gradebook.db") as book:
        grade = book.find_grade("test_double", "tiny", "tiny", "ada")
        assert (grade.auto_score, grade.needs_manual_grade) == (3, True)


@pytest.mark.skipif(shutil.which("chrt") is None, reason="chrt is a part of util-linux")
def test_any_scheduling_policy_will_do(tiny):
    """A batch system may start everything with a policy of its own: kernels start all the same."""
    tiny_course.submit(tiny, "ada")
    done = run(tiny, "chrt", "--batch", "0", "proctor", "grade")
    assert done.returncode == 0, done.stderr
    assert scores(tiny) == {"ada": 3}
