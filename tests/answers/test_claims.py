"""Claims of messages have names; `test_answers` holds them against the graded catalogue."""

import runpy

import catalogue
import claims
import generate
import pytest
import results

WRONG = [answer for answer in catalogue.load() if not answer.right]
HINTS = runpy.run_path(str(catalogue.HERE.parents[1] / "grader_tests" / "custom_training_basics" / "hints.py"))


def test_only_known_claims_are_listed():
    """A slip in an entry is found, and so is a mistake of the generator without its claims."""
    listed = {claim for answer in WRONG for claim in answer.claims}
    generated = {claim for answer in generate.every() for claim in answer.claims}
    assert (listed | generated) - set(claims.WORDS) == set()


@pytest.mark.parametrize("advice", [says for _, says in HINTS["SYMPTOMS"]] + [*HINTS["BY_KIND"].values()])
def test_every_advice_has_a_name(advice):
    """What is said of an exception is a claim like any other."""
    found = claims.of([advice])
    assert found
    assert found <= set(claims.WORDS)


def test_words_without_a_name_are_a_claim_of_their_own():
    """A new message is asked about before anybody reads it; what has happened is no claim."""
    assert claims.of(["`loss` is blue."]) == {"`loss` is blue."}
    assert claims.of(["Your code raised ValueError in `loss`, line 2 of its cell."]) == set()
    assert claims.of(["Your code raised TypeError. Two tensors of different types meet: …"]) == {"two-types"}


@pytest.mark.parametrize(
    ("message", "untrue"),
    [
        ("This looks like the sum over the examples: take the mean.", []),
        ("This looks like half of the sum: take the mean.", ["reads what is untrue: half-of-sum"]),
        ("It is late.", ["reads what is untrue: It is late."]),
    ],
)
def test_untrue_words_about_a_generated_answer_are_found(message, untrue):
    """A generated answer that hears what is not true of its mistake is misjudged."""
    answer = generate.Generated("a", {}, "loss", frozenset({"sum"}))
    result = results.Result({**catalogue.FULL, "test_loss": 2.0}, {"test_loss": [message]})
    assert list(generate.faults(answer, result)) == untrue
