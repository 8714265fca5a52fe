"""``proctor check --both-ends``, and what ``proctor grade`` refuses to begin with: an author's slip costs nobody points."""

import json

import pytest
import tiny_course
from commands import run

from proctor.hidden_tests.slips import slips

TESTS = "grader_tests/tiny/test_double.py"


def change(path, old, new):
    """Replace a text that is there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


SLIPS = {
    "run_hidden_tests(": ("source/tiny/tiny.ipynb", "run_hiden_tests(", "is not the line that runs hidden tests"),
    "BEGIN HIDDEN TESTS": ("source/tiny/tiny.ipynb", "BEGIN HIDEN TESTS", "is not the line that runs hidden tests"),
    "tiny/test_double.py": ("source/tiny/tiny.ipynb", "tiny/test_doubel.py", "no such hidden test file"),
    '"grade": true': ("source/tiny/tiny.ipynb", '"grade": false', "gives no points"),
    '    """Works on arrays, too."""\n': (TESTS, "", "test_arrays has no docstring"),
    "points(1)": (TESTS, "points(2)", "add up to 4 points, the cell has 3"),
    "import pytest": (TESTS, "import pytest!", "cannot be read"),
}


@pytest.mark.parametrize("old", SLIPS)
def test_a_slip_is_seen_without_running_anything(tiny, old):
    """Each by the name of its cell; without it there is nothing to say."""
    notebook, tests = tiny / "source/tiny/tiny.ipynb", tiny / "grader_tests"
    assert slips(notebook, tests) == []
    file, new, says = SLIPS[old]
    change(tiny / file, old, new)
    (slip,) = slips(notebook, tests)
    assert says in slip


def test_grading_does_not_begin_with_a_slip(tiny):
    """Nobody's points are lost: exit status 2, the cell's name and what is wrong with it."""
    tiny_course.submit(tiny, "ada")
    change(tiny / TESTS, "points(1)", "points(2)")
    done = run(tiny, "proctor", "grade")
    assert done.returncode == 2
    assert "source/tiny/tiny.ipynb: cell test_double: test_double.py: its tests add up to 4 points" in done.stderr
    assert not (tiny / "autograded/ada").exists()


def test_both_ends_of_a_good_assignment(tiny):
    """One sentence."""
    done = run(tiny, "proctor", "check", "--both-ends", "tiny")
    assert (done.returncode, done.stdout) == (
        0,
        "The source earns all points and the release none, with every seed that was tried.\n",
    ), done.stderr


def test_both_ends_of_a_bad_assignment(tiny):
    """An item that passes on the release, one that depends on the seed, and an assert without a hint."""
    path = tiny / TESTS
    change(path, 'assert submission.double(x) == double(x), "Is it twice the number?"', "assert x > 300")
    done = run(tiny, "proctor", "check", "--both-ends", "tiny")
    assert done.returncode == 1
    assert "test_double.py: test_values has an assert without a message" in done.stdout
    assert "test_values passes, and nothing has been done" in done.stdout
    assert "test_values is failed" in done.stdout


def test_an_exception_of_ours_is_undecided(tiny):
    """Whoever's process it happens in: a scenario that does not exist, names that a scenario or the reference has not."""
    tests = tiny / "grader_tests/tiny"
    (tests / "scenarios.py").write_text(
        "import numpy as np\ndef unknown_name(notebook): return nobody\ndef unknown_function(notebook): return np.nobody\n"
        "def raises(notebook): return notebook['double'](None)\ndef missing_argument(notebook, x): return x\n"
    )
    (tests / "reference.py").write_text("def double(x): return x + x\ndef wrong(x): return x['a']\n")
    calls = [
        'submission.play("nmae")', 'submission.play("unknown_name")', 'submission.play("unknown_function")',
        'submission.play("missing_argument")', "wrong(submission.double(1))", 'submission.play("raises")',
        "submission.double(1, 2)",
    ]  # fmt: skip
    (tests / "test_double.py").write_text(
        "import pytest\nfrom reference import wrong\n"
        + "".join(
            f'@pytest.mark.points({3 if number == 0 else 0})\ndef test_{number}(submission):\n    """Asked."""\n    {call}\n'
            for number, call in enumerate(calls)
        )
    )
    done = run(tiny, "proctor", "check", "source/tiny/tiny.ipynb", "--json")
    (cell,) = json.loads(done.stdout)["cells"]
    assert [item["passed"] for item in cell["items"]] == [None] * 5 + [False] * 2, done.stderr
