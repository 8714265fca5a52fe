"""The grader, graded: every answer of the catalogue gets the points and the messages that it should."""

import ast
import re
import runpy
import shutil
from pathlib import Path

import catalogue
import claims
import mutants
import pytest
import results
import validity

TESTS = Path(__file__).parents[2] / "grader_tests" / "custom_training_basics"
HINTS = runpy.run_path(str(TESTS / "hints.py"))
ADVICE = sorted({*(says for _, says in HINTS["SYMPTOMS"]), *HINTS["BY_KIND"].values()})
ANSWERS = catalogue.load()
RIGHT = [answer for answer in ANSWERS if answer.right]
WRONG = [answer for answer in ANSWERS if not answer.right]
# One process grades the whole catalogue, before the first test.
pytestmark = pytest.mark.timeout(3600)


def names(answers):
    return [pytest.param(answer, id=answer.name) for answer in answers]


def test_the_catalogue_is_large():
    """At least 60 right answers and 90 wrong ones."""
    assert len(RIGHT) >= 60
    assert len(WRONG) >= 90


def test_every_answer_was_graded(graded):
    """No answer ended its process or took too long."""
    assert {answer.name for answer in ANSWERS} - set(graded) == set()


@pytest.mark.parametrize("answer", names(RIGHT))
def test_right_answer_gets_full_points(graded, answer):
    """Whatever its style, a right answer loses nothing."""
    assert graded[answer.name].messages == {cell: [] for cell in catalogue.FULL}
    assert graded[answer.name].points == catalogue.FULL


@pytest.mark.parametrize("answer", names(WRONG))
def test_wrong_answer_gets_its_points_and_messages(graded, answer):
    """A wrong answer loses what it should, where it should, and its student can read why."""
    result = graded[answer.name]
    assert result.points == answer.points
    assert result.undecided == ()
    for cell, text in answer.says.items():
        assert text in " ".join(result.messages[cell])


@pytest.mark.parametrize("answer", names(WRONG))
def test_only_the_exercise_at_fault_loses(answer):
    """What is expected of a wrong answer is fair: every function at fault loses, and no other does."""
    lost = {cell for cell, points in answer.points.items() if points < catalogue.FULL[cell]}
    assert lost - {"test_training_run"} == {f"test_{function}" for function in answer.at_fault}
    assert set(answer.says) <= lost
    assert {f"test_{function}" for function in answer.at_fault} <= set(answer.says)


def test_no_answer_is_misjudged(answers, graded):
    """Per test cell: all right answers accepted, all wrong ones rejected, and no points lost elsewhere."""
    for row in validity.rows(answers, graded):
        assert (row.accepted, row.rejected) == (row.right, row.wrong), row.cell
    assert validity.elsewhere(answers, graded) == {}


def witnesses(graded):
    """For each hidden test, a wrong answer that no other test of its cell fails: name of the answer and the cell."""
    found = {}
    for answer in WRONG:
        for cell, tests in graded[answer.name].failed.items():
            if len(tests) == 1:
                found.setdefault(tests[0], (answer, cell))
    return found


def test_each_hidden_test_pulls_its_weight(graded, hidden_tests):
    """For every hidden test there is a wrong answer that nothing else in its cell sees."""
    assert len(hidden_tests) == len(set(hidden_tests)) >= 10
    assert set(witnesses(graded)) == set(hidden_tests)


def test_without_a_hidden_test_a_wrong_answer_gets_through(graded, hidden_tests, tmp_path):
    """Removed from its file, each hidden test lets an answer have its whole cell: nothing else fails there."""
    found, jobs = witnesses(graded), []
    for test in hidden_tests:
        answer, cell = found[test]
        folder = shutil.copytree(TESTS, tmp_path / test / TESTS.name, ignore=shutil.ignore_patterns("__pycache__"))
        file = folder / f"{cell}.py"
        tree = ast.parse(file.read_text())
        tree.body = [step for step in tree.body if getattr(step, "name", "") != test]
        file.write_text(ast.unparse(tree))
        jobs.append(results.job(test, answer.code, cells=[cell], grader_tests=str(folder.parent)))
    left = {test: result.failed for test, _, result in results.graded(jobs)}
    assert left == {test: {found[test][1]: []} for test in hidden_tests}


def test_nothing_done_earns_nothing(graded):
    """The untouched notebook, and one that returns without doing anything, get 0 of 20."""
    for name in ("together: untouched", "together: everything passes silently", "together: zeros everywhere"):
        assert sum(graded[name].points.values()) == 0


@pytest.mark.parametrize("advice", ADVICE)
def test_every_advice_is_given_to_somebody(graded, advice):
    """For each symptom there is an answer whose student reads exactly its advice."""
    assert any(advice in message for result in graded.values() for cell in result.messages.values() for message in cell)


def test_every_failure_comes_with_a_message(graded):
    """No item fails without a word."""
    silent = [name for name, result in graded.items() for cell in result.messages.values() if "" in cell]
    assert silent == []


def test_messages_tell_no_numbers(graded):
    """No message carries a value of a hidden test: at most the notebook's own small numbers."""
    known = {"0", "0.1", "1", "2", "3", "15", "32", "64", "16"}  # the rate, the weights, the epochs, names of types
    for name, result in graded.items():
        for message in (message for cell in result.messages.values() for message in cell):
            said = re.sub(r", line \d+ of its cell|0x#\w*", "", message)
            assert set(re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", said)) <= known, (name, message)


def test_the_page_has_the_numbers_of_this_run(answers, graded):
    """docs/validity.md says what was found here: `make validity` writes it anew."""
    page = validity.PAGE.read_text(encoding="utf-8")
    assert validity.table(answers, graded) in page
    assert f"{len(RIGHT)} right answers and {len(WRONG)} wrong ones" in page


def test_the_page_has_the_mutants(answers):
    """Their number by operator, and how many are equivalent; that the others are killed is for `make mutants` to show."""
    page = validity.PAGE.read_text(encoding="utf-8")
    assert mutants.table(mutants.every()) in page


def heard(result):
    """The claims of all messages of a result."""
    return claims.of(message for cell in result.messages.values() for message in cell)


@pytest.mark.parametrize("answer", names(WRONG))
def test_no_message_is_untrue_of_its_answer(graded, answer):
    """Everything that a wrong answer's student reads is among what is true of the answer."""
    assert heard(graded[answer.name]) - answer.claims == set()


def test_every_claim_is_made_of_somebody(graded):
    """No words are listed that nobody reads."""
    made = set().union(*(heard(result) for result in graded.values()))
    assert set(claims.WORDS) - made - {"gradient-over-n"} == set()  # with this one, a division by N is made up for
