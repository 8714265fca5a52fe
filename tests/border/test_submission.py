"""What a hidden test gets from a student's process, and what it can never get."""

import json
from pathlib import Path

import pytest

from proctor.border import probe
from proctor.border.submission import Submission, scenario_source
from proctor.errors import NameMissing, Nonsense, StudentRaised


def submission_on(source, scenarios=""):
    """A submission on the names that `source` defines, in this process."""
    names = {}
    exec(source, names)
    return Submission(lambda request: probe.answer(request, names).text, scenarios)


def test_a_function_of_the_notebook_can_be_called():
    """`submission.name(...)` calls the student's function."""
    assert submission_on("def twice(x): return 2 * x").twice(21) == 42


def test_a_scenario_runs_beside_the_notebook():
    """A scenario reads and replaces names of the notebook."""
    scenarios = "def swapped(notebook, x):\n    notebook['f'] = abs\n    return notebook['g'](x)"
    assert submission_on("def f(x): return x\ndef g(x): return f(x)", scenarios).play("swapped", -3) == 3


def test_a_missing_name_is_said():
    """A function that is not there is the student's omission, named."""
    with pytest.raises(NameMissing, match="loss"):
        submission_on("").loss(1)


@pytest.mark.parametrize("ending", ["raise SystemExit(0)", "raise KeyboardInterrupt", "return f(x)", "raise E"])
def test_whatever_the_student_raises_is_the_students(ending):
    """Exits, interrupts, recursion and exceptions that cannot be printed come back as StudentRaised."""
    source = f"class E(Exception):\n    def __str__(self): raise ValueError\ndef f(x):\n    {ending}"
    with pytest.raises(StudentRaised):
        submission_on(source).f(1)


REPLIES = [
    "",
    "null",
    "[]",
    "{}",
    '{"value": 1}',
    json.dumps({"~": "dict", "pairs": [["value", 1], ["x", 2]]}),
    "[" * 9999,
]


@pytest.mark.parametrize("reply", REPLIES)
def test_a_forged_reply_is_nonsense(reply):
    """A reply in any other form than ours fails the test, and does no more."""
    with pytest.raises(Nonsense):
        Submission(lambda request: reply).f(1)


def test_private_names_are_not_calls():
    """Copying or printing a submission does not call the student's process."""
    with pytest.raises(AttributeError):
        _ = Submission(lambda request: "").__deepcopy__


def test_scenarios_are_sent_without_what_authors_told_each_other(tmp_path: Path):
    """Docstrings and comments of scenarios.py never reach a student's process."""
    (tmp_path / "scenarios.py").write_text('"""Secret."""\ndef f(n):\n    """Secret."""  # secret\n    return 1\n')
    sent = scenario_source(tmp_path)
    assert "ecret" not in sent
    assert "return 1" in sent
