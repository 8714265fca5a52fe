"""A fast part of `make mutants`, and what its list of equivalents has to be. docs/validity.md has the whole score."""

import ast
from collections import Counter

import catalogue
import mutants
import pytest
import results

EVERY = mutants.every()
SAMPLE = mutants.sample(EVERY)
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def outcomes():
    """What became of the mutants of the sample, by name."""
    return mutants.judged(SAMPLE)


def test_there_are_hundreds_and_each_is_another_one():
    """Every operator makes some for more than one spelling; names and sources are unique."""
    assert len(EVERY) >= 500
    assert {mutant.operator for mutant in EVERY} == set(mutants.OPERATORS)
    assert len({mutant.name for mutant in EVERY}) == len({mutant.source for mutant in EVERY}) == len(EVERY)
    assert Counter(mutant.function for mutant in EVERY).keys() == set(catalogue.FUNCTIONS)


def test_every_mutant_is_python():
    """What an operator makes can be compiled, so that a mutant is killed by what it does."""
    for mutant in EVERY:
        compile(mutant.source, mutant.name, "exec")


def test_mutants_are_the_same_every_time():
    """Another run makes the same mutants in the same order, so a name can be looked up."""
    assert mutants.every() == EVERY


def test_no_mutant_is_one_of_the_originals():
    """A mutant differs from every right answer that mutants are made of."""
    originals = {ast.unparse(mutants._spelling(function, name))
                 for function, names in mutants.SPELLINGS.items() for name in names}  # fmt: skip
    assert not originals & {mutant.source for mutant in EVERY}


def test_equivalent_mutants_exist():
    """Nobody is listed who is not there (any more), and each for a reason."""
    listed = mutants.equivalents()
    assert set(listed) <= {mutant.name for mutant in EVERY}
    assert all(len(reason) > 20 for reason in listed.values())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[equivalent]]\nwhy = 'x'\nmutants = ['a']\nby = 'me'", "not by, mutants, why"),
        ("[[equivalent]]\nwhy = 'x'\nmutants = ['a', 'a']", "listed twice: a"),
        ("[[killed]]\nwhy = 'x'\nmutants = ['a']", "unknown: killed"),
    ],
)
def test_the_list_of_equivalents_takes_nothing_else(tmp_path, text, says):
    """A slip in the list is an error."""
    (tmp_path / "mutants.toml").write_text(text)
    with pytest.raises(ValueError, match=says):
        mutants.equivalents(tmp_path / "mutants.toml")


def test_a_sample_of_every_operator_is_killed_or_equivalent(outcomes):
    """By the exercise that it breaks, and by no other one."""
    assert {mutant.operator for mutant in SAMPLE} == set(mutants.OPERATORS)
    assert {name: outcome for name, outcome in outcomes.items() if outcome not in ("killed", "equivalent")} == {}


def test_most_of_the_sample_is_killed(outcomes):
    """The sample is no list of equivalents."""
    assert Counter(outcomes.values())["killed"] > 0.8 * len(SAMPLE)


MUTANT = mutants.Mutant("m", "arithmetic", "loss", "")


@pytest.mark.parametrize(
    ("points", "equivalent", "outcome"),
    [
        ({}, False, "survived"),
        ({}, True, "equivalent"),
        ({"test_loss": 2.0, "test_training_run": 0.0}, False, "killed"),
        ({"test_training_run": 0.0}, False, "survived"),
        ({"test_loss": 2.0}, True, "listed as equivalent, and lost points: test_loss"),
        ({"test_loss": 2.0, "test_train": 7.0}, False, "lost points elsewhere: test_train"),
    ],
)
def test_what_becomes_of_a_mutant(points, equivalent, outcome):
    """Killed is only who loses in its own exercise, and nowhere else but in the training run."""
    result = results.Result({**catalogue.FULL, **points}, {})
    assert mutants.judge(MUTANT, result, equivalent=equivalent) == outcome


def test_a_mutant_without_a_result_is_not_killed():
    """What ends the grader's process or leaves it undecided is our fault."""
    assert mutants.judge(MUTANT, None, equivalent=False) == "ended the grader's process"
    undecided = results.Result({**catalogue.FULL, "test_loss": 0.0}, {}, undecided=("test_x",))
    assert mutants.judge(MUTANT, undecided, equivalent=False) == "undecided"
