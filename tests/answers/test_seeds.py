"""A small part of `make seeds`: verdicts do not depend on the seed. Rounding and small mistakes are where they could."""

import catalogue
import pytest
import seeds

ANSWERS = (
    "loss: binomial formula",
    "loss: float64 stays",
    "loss: XLA",
    "loss: a little more",
    "loss: forgets the last example",
    "apply_gradients: float64 and back",
    "apply_gradients: tf.function",
    "apply_gradients: clipped where they are large",
    "train: float64 inside",
    "train: everything as columns",
    "train: tf.function with few traces",
    "train: gradients slightly scaled",
    "train: b after w",
    "train: returns a rounded loss",
    "train: normalises the inputs",
)
SEEDS = range(1, 4)
pytestmark = pytest.mark.timeout(600)


def test_no_verdict_depends_on_the_seed():
    """Other inputs, the same points: right answers full, wrong ones as in the catalogue."""
    answers = [answer for answer in catalogue.load() if answer.name in ANSWERS]
    assert len(answers) == len(ANSWERS)
    found = seeds.survey(answers, SEEDS)
    assert found.different == []
    assert found.gradings == len(ANSWERS) * len(SEEDS)


def test_with_fewer_calls_the_verdicts_are_the_same(tmp_path):
    """What most seeds are tried with: less often called, and the points of each answer's own exercises are as ever."""
    answers = [answer for answer in catalogue.load() if answer.name in ANSWERS]
    found = seeds.survey(answers, [4], short=seeds.with_fewer_calls(tmp_path))
    assert found.different == []
    assert found.gradings == len(ANSWERS)


def test_all_seeds_are_tried_and_the_first_ones_with_everything(tmp_path):
    """No seed is left out or tried twice."""
    found = seeds.parts(range(10, 210), 25, tmp_path)
    assert [seed for some, _ in found for seed in some] == list(range(10, 210))
    assert [seed for some, tests in found if tests is None for seed in some] == list(range(10, 35))


def test_a_verdict_that_depends_on_the_seed_is_found():
    """An answer whose points are not those of the catalogue is named, with the seed."""
    (answer,) = (answer for answer in catalogue.load() if answer.name == "loss: sum")
    lenient = catalogue.Answer(answer.name, answer.why, True, answer.code)
    found = seeds.survey([lenient], [3])
    assert found.different == ["loss: sum, seed 3: test_loss 2 instead of 4, test_training_run 0 instead of 4"]
