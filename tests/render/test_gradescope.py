"""Gradescope reads our results: names, types and words of its specification, nothing hidden."""

import json

from commands import run

from proctor.render.gradescope import results
from proctor.results.flag import Flag
from proctor.results.submission_result import SubmissionResult
from proctor.results.verdict import CellVerdict, Item

ITEMS = (
    Item("test_a", "Is it so?", 2.0, "passed"),
    Item("test_b", "And so?", 1.5, "failed", hint="Look here."),
    Item("test_c", "Or so?", 0.5, "undecided"),
)
FOUND = SubmissionResult(
    "ada", (CellVerdict("test_loss", 4.0, ITEMS),), (Flag("too slow", "loss", seconds=30.0),), log="secret"
)

# https://gradescope-autograders.readthedocs.io/en/latest/specs/
ALLOWED = {"score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility"}
ALLOWED |= {"stdout_visibility", "extra_data", "tests", "leaderboard"}
ALLOWED_TEST = {"score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags"}
ALLOWED_TEST |= {"visibility", "extra_data"}


def test_it_keeps_to_the_specification():
    """Only documented keys and words; the scores of the tests add up to ours."""
    told = results(FOUND)
    assert set(told) <= ALLOWED
    assert all(set(test) <= ALLOWED_TEST for test in told["tests"])
    assert [test.get("status") for test in told["tests"]] == ["passed", "failed", None]
    assert sum(test["score"] for test in told["tests"]) == FOUND.points == 2.0
    assert sum(test["max_score"] for test in told["tests"]) == FOUND.max_points
    assert told["stdout_visibility"] == "hidden"
    assert {test["visibility"] for test in told["tests"]} == {"visible"}
    assert told["tests"][1]["output"] == "Look here."
    assert "secret" not in json.dumps(told)


def test_what_cannot_be_graded_gets_a_word():
    """A broken notebook has zero points and the reason, so that Gradescope shows more than an error."""
    told = results(SubmissionResult("ada", error="x.ipynb: not a notebook"))
    assert told["score"] == 0.0
    assert "not a notebook" in told["output"]


def test_the_command_prints_it_even_then(tiny):
    """``proctor check --format gradescope`` prints one JSON object and nothing else; tests/docs has it for an answer."""
    broken = tiny / "broken.ipynb"
    broken.write_text("{}")
    done = run(tiny, "proctor", "check", str(broken), "--format", "gradescope")
    assert done.returncode == 2
    assert json.loads(done.stdout)["score"] == 0.0
