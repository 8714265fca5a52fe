"""Hidden tests of the exercise `apply_gradients`, 4 points: two models, two updates each."""

from dataclasses import dataclass

import numpy as np
import pytest
import recognise

W, B = 0, 1
REPLACED = (
    "`model.w` and `model.b` have to be the same `tf.Variable`s after the update as before: `model.w = …` replaces "
    "one, `model.w.assign_sub(…)` changes it in place."
)


@dataclass(frozen=True)
class Updates:
    """What to do with one model: arrays with a row for each update."""

    start: tuple[float, float]
    gradients: np.ndarray
    rates: list[float]


def draw(rng, low, high, size):
    """Two updates with gradients that differ clearly, about as large as `size`, and rates between `low` and `high`."""
    small, large = size * rng.uniform(0.5, 1.5, size=2), size * rng.uniform(2.5, 5.0, size=2)
    gradients = np.stack([[small[0], large[0]], [large[1], small[1]]]) * rng.choice([-1, 1], size=(2, 2))
    start = rng.uniform(1.0, 4.0, size=2) * rng.choice([-1, 1], size=2)
    return Updates(
        (float(start[0]), float(start[1])), gradients.astype("float32"), rng.uniform(low, high, size=2).tolist()
    )


def play(submission, rng):
    """Yield the updates of two models and what the student's function made of them."""
    for kind in ((0.3, 0.8, 1.0), (0.02, 0.06, 20.0)):
        planned = draw(rng, *kind)
        reply = submission.play("updates", planned.start, planned.gradients, planned.rates)
        yield planned, reply


def check_weight(submission, rng, weight):
    """Fail unless the weight has moved by minus rate times its gradient in every update."""
    name = f"model.{'wb'[weight]}"
    for planned, reply in play(submission, rng):
        where = recognise.array(recognise.field(reply, "named"), (3, 2))[:, weight]
        for before, after, both, rate in zip(where[:-1], where[1:], planned.gradients, planned.rates, strict=True):
            own, other = float(both[weight]), float(both[1 - weight])
            assert recognise.close(after - before, -rate * own), recognise.step_mistake(
                name, before, after - before, own, other, rate
            )


@pytest.mark.points(1.5)
def test_moves_w(submission, rng):
    """`model.w` moves by learning rate times `dw`, downhill: for any rate, any gradient, any model, step after step."""
    check_weight(submission, rng, W)


@pytest.mark.points(1.5)
def test_moves_b(submission, rng):
    """`model.b` moves by learning rate times `db`, downhill: for any rate, any gradient, any model, step after step."""
    check_weight(submission, rng, B)


@pytest.mark.points(1)
def test_updates_in_place(submission, rng):
    """Both weights move in place: `model.w` and `model.b` are the same `tf.Variable`s before and after."""
    for _, reply in play(submission, rng):
        assert recognise.field(reply, "same") is True, REPLACED
        steps = np.diff(recognise.array(recognise.field(reply, "held"), (3, 2)), axis=0)
        for name, moves in zip("wb", steps.T, strict=True):
            assert all(np.abs(moves) > 1e-4), (
                f"`model.{name}` did not move: is it the model from the arguments that is changed, and both of its "
                "weights?"
            )
