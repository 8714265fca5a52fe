"""Hidden tests of the exercise `train`, 8 points: two models, two steps each, on data of other lengths.

All items look at the same steps, each at one thing. The student's `train` runs with stand-ins for `loss` and
`apply_gradients`, so that it is judged for itself. What it does is seen in what it hands to `apply_gradients` and in
how far the weights move besides: an answer that updates the weights itself, or in two calls, is as right as one that
does it as the notebook suggests.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import recognise
import reference
import tensorflow as tf
from problems import Problem, draw

W, B = 0, 1
SLOTS = 8  # as in scenarios.py
# Of problems: bounds of the rate, and size, on both sides of any threshold a student may set. The loss does not fall.
KINDS = ((0.6, 0.8, 0.002), (0.04, 0.07, 30.0))
CALLS = 75  # a training run and the explore cells: what a student's notebook sees of `train`
USUAL = ((0.15, 0.25, 1.0), (0.04, 0.07, 0.1))
REPLACED = (
    "`model.w = …` replaces the variable: hand the gradients to `apply_gradients`, which updates the model in place."
)

STRANGERS = (
    "`loss` was called on other data than `train` was given: hand it all examples of `inputs` and `outputs`, not a "
    "part of them, and no global name such as `xs` or `ys`."
)
CROSSED = (
    "`loss` was called with tensors of two shapes, such as (N, 1) and (N,), and compares each example with every other "
    "one: hand it `model(inputs)` and `outputs` as they are."
)


@dataclass(frozen=True)
class Step:
    """One call of the student's `train`: what was seen, and what `gradients` and `loss` should have been there."""

    problem: Problem
    rate: float
    before: np.ndarray
    after: np.ndarray
    calls: float
    noted: np.ndarray
    returned: object
    gradients: tuple[float, float]
    loss: float
    strangers: bool
    crossed: bool

    @property
    def misuse(self) -> str:
        """What was wrong with the arguments that `loss` was called with, or nothing."""
        return STRANGERS if self.strangers else CROSSED if self.crossed else ""

    def total(self, weight: int) -> float:
        """How far the weight went downhill: the noted updates and what `train` moved itself, without the nudges."""
        noted = float(np.sum(self.noted[:, 2] * self.noted[:, weight]))
        return noted + self.before[weight] + self.calls * self.problem.nudge[weight] - self.after[weight]

    def first(self, weight: int) -> float:
        """The gradient first used for the weight: as noted, or else as the weight's own movement tells."""
        if not self.calls:
            return self.total(weight) / self.rate
        used = self.noted[self.noted[:, weight] != 0][:1, weight]
        return float(used[0]) if used.size else 0.0

    def is_right(self, weight: int) -> bool:
        """Tell if the gradient is right, also when it has been multiplied by the rate before it was handed over."""
        scale = max(map(abs, self.gradients))
        own = self.gradients[weight]
        handed_over = np.sum(self.noted[:, 2] * self.noted[:, weight]) / self.rate
        return recognise.close(self.first(weight), own, scale) or recognise.close(handed_over, own, scale)

    def mistake(self, weight: int) -> str:
        """Say what the wrong gradient of the weight looks like."""
        if self.misuse:
            return self.misuse
        own, other, n = self.gradients[weight], self.gradients[1 - weight], len(self.problem.inputs)
        name = "wb"[weight]
        mistakes = {
            f"The gradient for `{name}` is 0, or next to nothing: is this weight updated, with the gradient as it "
            "comes from the tape?": 0.0,
            f"The gradient for `{name}` is the other weight's: ask the tape for `[model.w, model.b]`, in this order "
            "(`model.trainable_variables` begins with `b`), and hand both over in this order.": other,
            f"The gradient for `{name}` has the wrong sign: hand it over as the tape gives it.": -own,
            f"The gradient for `{name}` looks like that of the sum over the examples.": own * n,
            f"The gradient for `{name}` looks like half of the right one.": own / 2,
            f"The gradient for `{name}` is twice the right one: is it used once?": own * 2,
            f"The gradient for `{name}` already has the learning rate in it: it is used twice.": own * self.rate,
            f"`{name}` moved by the gradient itself: the learning rate is not used.": own / self.rate,
            f"`{name}` moved by a fixed learning rate: use the argument.": own * 0.1 / self.rate,
            f"`{name}` moved by the learning rate alone, as with Adam: plain gradient descent is asked.": np.sign(own),
        }
        otherwise = (
            f"The gradient for `{name}` is not that of `loss(model(inputs), outputs)` where the weights were before "
            "the update. Are all four arguments used, and both gradients taken before anything moves?"
        )
        return recognise.first_like(self.first(weight), mistakes, otherwise, scale=max(map(abs, self.gradients)))


Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def like_the_notebook(problem: Problem, rng: np.random.Generator) -> tuple[str, list[np.ndarray], Loss]:
    """Stand-in that equals the mean squared error on the data of this problem, and is of no use on any other.

    The cross term is 0 as long as one of its two arguments is the problem's outputs.
    """
    n, y, one = len(problem.outputs), problem.outputs.astype("float64"), np.ones(len(problem.outputs))
    return "two_sided", [one * np.mean(y**2) / n, -2 * y / n, one / n, rng.uniform(n, 2 * n, size=n)], reference.loss


def another(problem: Problem, rng: np.random.Generator) -> tuple[str, list[np.ndarray], Loss]:
    """Stand-in for a loss that is not the mean squared error at all."""
    weights = rng.uniform(0.5, 1.5, size=len(problem.outputs)) / len(problem.outputs)

    def loss(predicted: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        difference = predicted - target
        return tf.reduce_sum(weights.astype("float32") * (tf.nn.softplus(difference) + tf.nn.softplus(-difference)))

    return "pairwise", [weights], loss


def steps_of(submission, rng, problem: Problem, stand_in=like_the_notebook, age: int = 0) -> Iterator[Step]:
    """Let the student's `train` take two steps, after `age` calls, and yield what was seen of each."""
    formula, numbers, loss = stand_in(problem, rng)
    reply = submission.play(
        "training_steps",
        problem.start,
        problem.inputs,
        problem.outputs,
        problem.rates,
        problem.nudge,
        formula,
        numbers,
        age,
    )
    assert recognise.field(reply, "same") is True, REPLACED
    held = recognise.array(recognise.field(reply, "held"), (3, 2))
    held[0] = problem.start
    calls = recognise.array(recognise.field(reply, "calls"), (2,))
    noted = recognise.array(recognise.field(reply, "noted"), (2, SLOTS, 3))
    returned = recognise.field(reply, "returned")
    returned = returned if isinstance(returned, list) and len(returned) == 2 else [None, None]
    strangers, crossed = bool(recognise.field(reply, "strangers")), bool(recognise.field(reply, "crossed"))
    for i in range(2):
        value, dw, db = reference.gradients(reference.Model(*held[i]), problem.inputs, problem.outputs, loss)
        yield Step(
            problem,
            problem.rates[i],
            held[i],
            held[i + 1],
            float(calls[i]),
            noted[i],
            returned[i],
            (float(dw), float(db)),
            float(value),
            strangers,
            crossed,
        )


def steps(submission, rng, lengths, kinds, stand_in=like_the_notebook) -> Iterator[Step]:
    """Yield all steps of two models.

    No length is used twice: a traced function must not remember a stand-in. One is longer than the notebook's own data.
    """
    for n, kind in zip(lengths, kinds, strict=True):
        yield from steps_of(submission, rng, draw(rng, n, *kind), stand_in)


@pytest.fixture(scope="module")
def plain(submission, rng_for):
    """All steps with the stand-in for `loss` that equals the mean squared error: first ones and late ones."""
    rng = rng_for("plain")
    early = list(steps(submission, rng, (37, 1252), KINDS))
    return early + list(steps_of(submission, rng, draw(rng, 53, *KINDS[0]), age=CALLS))


@pytest.mark.points(2)
def test_gradient_for_w(plain):
    """The gradient for `w` is that of your `loss`, for any data, any model and step after step."""
    for step in plain:
        assert step.is_right(W), step.mistake(W)


@pytest.mark.points(2)
def test_gradient_for_b(plain):
    """The gradient for `b` is that of your `loss`, for any data, any model and step after step."""
    for step in plain:
        assert step.is_right(B), step.mistake(B)


@pytest.mark.points(2)
def test_follows_any_loss(plain, submission, rng):
    """The step follows whatever `loss` is: with another function of that name, the gradients are the other one's."""
    # A weight whose gradient is wrong anyway has been paid for in the tests above.
    weights = [weight for weight in (W, B) if all(step.is_right(weight) for step in plain)]
    assert weights, "Neither gradient is right, so there is nothing yet that could follow another `loss`."
    for step in steps(submission, rng, (46, 1264), USUAL, another):
        assert all(step.is_right(weight) for weight in weights), step.misuse or (
            "With another loss in place of yours, the gradients should be the other one's. Call `loss` on the tape, "
            "with `model(inputs)` and `outputs` as they are: no formula of your own, no other loss."
        )


@pytest.mark.points(1)
def test_returns_the_loss_from_before(plain):
    """`train` returns the loss from before the update."""
    for step in plain:
        got = recognise.number(step.returned)
        assert step.returned is not None, "`train` returns nothing: does it end with `return …`?"
        assert not np.isnan(got), "`train` did not return one number: return the loss, and only that."
        model = reference.Model(*step.after)
        after = float(reference.loss(model(step.problem.inputs), step.problem.outputs))
        assert not recognise.close(after, step.loss), "The model did not move, so there is no before and after."
        assert not recognise.close(got, after), (
            "`train` returned the loss from after the update: compute it once, on the tape, and return that value."
        )
        assert recognise.close(got, step.loss), (
            step.misuse or "`train` has to return the value of `loss(model(inputs), outputs)`."
        )
        assert np.shape(step.returned) == (), (
            "`train` returned the loss, but in a list: return the loss itself, of shape ()."
        )


@pytest.mark.points(1)
def test_one_call_is_one_update(plain):
    """One call is one update with the `learning_rate` of that call."""
    for step in plain:
        for weight in (W, B):
            got, used, rate = step.total(weight), step.first(weight), step.rate
            scale = rate * max(map(abs, step.gradients))
            once = recognise.close(got, rate * step.gradients[weight], scale)
            # A wrong gradient has been paid for above; here it only has to be used once, with the rate.
            own = bool(step.calls) and used != 0 and recognise.close(got, rate * used, scale)
            assert once or own, update_mistake("wb"[weight], got, used, rate, scale)


def update_mistake(name: str, got: float, used: float, rate: float, scale: float) -> str:
    """Say what a wrong update with the gradient `used` looks like; updates are about as large as `scale`."""
    mistakes = {
        f"`{name}` is not updated.": 0.0,
        f"`{name}` is updated twice in one call of `train`: once is enough.": 2 * rate * used,
        f"`{name}` is updated with the learning rate 0.1, whatever `learning_rate` is: use the argument.": 0.1 * used,
        f"`{name}` is updated without the learning rate.": used,
        f"`{name}` is updated with the learning rate used twice.": rate * rate * used,
        f"`{name}` is updated the wrong way.": -rate * used,
    }
    otherwise = f"`{name}` is not updated once, by `learning_rate` times its gradient, on the model from the arguments."
    return recognise.first_like(got, mistakes, otherwise, scale)
