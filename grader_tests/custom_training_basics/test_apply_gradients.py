"""Hidden tests of the exercise `apply_gradients`, 4 points: three models with two updates each, and one with many.

Some have small gradients and large rates, one the reverse: no threshold of a student's fits both. One more is taken
into corners: at 0, with a gradient that is 0, and with two that are equal.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import recognise

from proctor.errors import StudentRaised

W, B = 0, 1
KINDS = ((0.6, 0.9, 0.003, 0.1), (0.002, 0.006, 2e5, 1.5e4))  # of updates: see `draw`
LARGE = (1.2, 1.8, 0.003, 0.1)  # rates that may be refused
LATE = (0.6, 0.9, 0.03, 0.1)  # of the updates that are repeated
ROUNDS = 20  # of four: as many updates as a training run and the explore cells make, and more
REPLACED = (
    "`model.w` and `model.b` have to be the same `tf.Variable`s after the update as before: `model.w = …` replaces "
    "one, `model.w.assign_sub(…)` changes it in place."
)
OTHERWISE = (
    "Called with plain numbers, as in the cell below Task 2's, `apply_gradients` does not do what it does with tensors."
)
SOMETIMES = (
    "`{name}` moves as it should in some updates and not in others: the step is the given rate times the given "
    "gradient and nothing else, whatever their sign and size, and whatever has been called before."
)


@dataclass(frozen=True)
class Updates:
    """What to do with one model: arrays with a row for each update. In a corner, not every mistake shows."""

    start: tuple[float, float]
    gradients: np.ndarray
    rates: list[float]
    in_corner: bool = False


def draw(rng, low, high, size, away):
    """Two updates with gradients that differ clearly, about as large as `size`, and rates between `low` and `high`.

    The weights start about `away` from 0, and further.
    """
    while True:
        small, large = size * rng.uniform(0.5, 1.5, size=2), size * rng.uniform(2.5, 5.0, size=2)
        signs = rng.choice([-1, 1], size=2)  # each weight goes up once and down once
        gradients = np.stack([[small[0], large[0]], [large[1], small[1]]]) * np.stack([signs, -signs])
        start = away * rng.uniform(1.0, 4.0, size=2) * rng.choice([-1, 1], size=2)
        rates = rng.uniform(low, high, size=2)
        befores = (start, start - rates[0] * gradients[0])
        if all(mistakes_show(*update) for update in zip(befores, gradients, rates, strict=True)):
            return Updates((float(start[0]), float(start[1])), gradients.astype("float32"), rates.tolist())


def corners(two):
    """Updates of a model whose weights are 0: each gets a gradient while it is 0 and the other's is 0; then equal ones.

    The rates of the last are the notebook's own.
    """
    first, second, rate = two.gradients[0, 0], two.gradients[0, 1], two.rates[0]
    gradients = [[0, first], [0, -first], [second, 0], [first, first], [second, second]]
    return Updates((0.0, 0.0), np.array(gradients, "float32"), [rate, rate, rate, 0.9, 0.1], in_corner=True)


def many(two):
    """The two updates back and forth, `ROUNDS` times, so that the weights stay where they are told apart."""
    gradients = np.concatenate([two.gradients, -two.gradients] * ROUNDS)
    return Updates(two.start, gradients, two.rates * (2 * ROUNDS))


def mistakes_show(before, gradients, rate):
    """Tell if no mistake with this update can be taken for another one, or for the right step."""
    for at, own, other in zip(before, gradients, gradients[::-1], strict=True):
        if not recognise.apart([-rate * own, *recognise.step_mistakes("", at, own, other, rate).values()]):
            return False
    return True


@pytest.fixture(scope="module")
def played(submission, rng_for):
    """The updates of some models and what the student's function made of them: all items look at the same ones.

    Rates above 1 may be refused, by an ``assert`` or a ``ValueError``, but not changed.
    """
    rng = rng_for("updates")
    plans = [*(draw(rng, *kind) for kind in KINDS), many(draw(rng, *LATE))]
    seen = replies_to(submission, [*plans, corners(draw(rng, *LATE))])
    large = draw(rng, *LARGE)
    try:
        seen += replies_to(submission, [large], age=1)
    except StudentRaised as error:
        if error.kind not in ("AssertionError", "ValueError"):
            raise
    return seen


def replies_to(submission, plans, age=0):
    """Each plan and what the student's function makes of it, after `age` calls on another model, or one."""
    ages = [age, *[1] * (len(plans) - 1)]
    asked = [(plan.start, plan.gradients, plan.rates, age) for plan, age in zip(plans, ages, strict=True)]
    replies = recognise.items(submission.play("each", "updates", asked), len(plans))
    return list(zip(plans, replies, strict=True))


def check_weight(played, weight):
    """Fail unless the weight has moved by minus rate times its gradient in every update.

    What is right in a corner tells nothing about the other updates.
    """
    name = f"model.{'wb'[weight]}"
    usual, in_corners = ([one for one in played if one[0].in_corner is there] for there in (False, True))
    mistakes = list(mistakes_of(usual, weight, name))
    wrong = [mistake for mistake in mistakes if mistake]
    assert not wrong or len(wrong) == len(mistakes), SOMETIMES.format(name=name)
    assert not wrong, wrong[0]
    assert not any(mistakes_of(in_corners, weight, name)), SOMETIMES.format(name=name)


def mistakes_of(played, weight, name):
    """Yield for each update what is wrong with it, or ``""``."""
    for planned, reply in played:
        where = recognise.array(recognise.field(reply, "named"), (len(planned.rates) + 1, 2))[:, weight]
        for before, after, both, rate in zip(where[:-1], where[1:], planned.gradients, planned.rates, strict=True):
            own, other, moved = float(both[weight]), float(both[1 - weight]), after - before
            right = recognise.close(moved, -rate * own)
            yield "" if right else recognise.step_mistake(name, before, moved, own, other, rate)


@pytest.mark.points(1.5)
def test_moves_w(played):
    """`model.w` moves by learning rate times `dw`, downhill: for any rate, any gradient, any model, step after step."""
    check_weight(played, W)


@pytest.mark.points(1.5)
def test_moves_b(played):
    """`model.b` moves by learning rate times `db`, downhill: for any rate, any gradient, any model, step after step."""
    check_weight(played, B)


@pytest.mark.points(1)
def test_updates_in_place(played, submission):
    """Both weights move in place: `model.w` and `model.b` are the same `tf.Variable`s before and after.

    Gradients may come as plain numbers, as in one of the notebook's cells.
    """
    # That some updates move nothing, or not as they should, is paid for above.
    steps = []
    for planned, reply in played:
        assert recognise.field(reply, "same") is True, REPLACED
        steps.append(np.diff(recognise.array(recognise.field(reply, "held"), (len(planned.rates) + 1, 2)), axis=0))
    for name, moves in zip("wb", np.concatenate(steps).T, strict=True):
        assert any(np.abs(moves) > 1e-6), recognise.unmoved(f"model.{name}")
    planned, first = played[0][0], steps[0][0]
    numbers = [float(number) for number in (*planned.gradients[0], planned.rates[0])]
    there = recognise.array(submission.play("update_with_numbers", planned.start, *numbers), (2,))
    for moved, usual, own in zip(there - np.float32(planned.start), first, planned.gradients[0], strict=True):
        assert recognise.close(moved, usual) or recognise.close(moved, -planned.rates[0] * own), OTHERWISE
