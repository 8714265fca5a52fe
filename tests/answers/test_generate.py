"""A sample of the generated answers: each is worth what it was made to be worth."""

import random

import generate
import pytest

SAMPLE = 40

pytestmark = pytest.mark.timeout(1800)


def test_a_sample_is_judged_right():
    """Other styles, other mistakes and other times than the catalogue has."""
    assert generate.misjudged(random.Random(1).sample(generate.every(), SAMPLE)) == []


def test_they_are_many_and_different():
    """Every combination is an answer of its own."""
    answers = generate.every()
    assert len(answers) > 2500
    assert len({answer.name for answer in answers}) == len(answers)
    assert len({tuple(answer.code.items()) for answer in answers}) == len(answers)
