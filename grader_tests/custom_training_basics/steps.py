"""What was seen of one call of a student's `train`, and what it amounts to.

The call ran with stand-ins for `loss` and `apply_gradients`. What `train` does is seen in what it hands to
`apply_gradients` and in how far the weights move besides: an answer that updates the weights itself, or in two calls,
is as right as one that does it as the notebook suggests.
"""

from dataclasses import dataclass

import numpy as np
import recognise
from problems import Problem

W, B = 0, 1
RIGHT = ""  # what a right gradient's mistake is called
EXCHANGED = (
    "`apply_gradients` is called with its arguments in another order: first the model, then `dw`, `db` and the "
    "learning rate."
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
    """One call of `train`: what was seen, and what `gradients` and `loss` should have been there.

    `noted` has a row (dw, db, rate) for each call of `apply_gradients`. `factor` is what the student's own `loss` is
    too large by: a `train` that divides by it makes up for it, and has not made the mistake a second time.
    """

    problem: Problem
    rate: float
    before: np.ndarray
    after: np.ndarray
    calls: float
    noted: np.ndarray
    returned: object
    crashed: bool
    gradients: tuple[float, float]
    loss: float
    strangers: bool
    crossed: bool
    late: bool = False
    factor: float = 1.0

    @property
    def scale(self) -> float:
        """How large the gradients are."""
        return max(map(abs, self.gradients))

    @property
    def rounding(self) -> float:
        """What an update must be compared as large as: it is told from weights that are rounded to seven digits."""
        return 1e-3 * float(np.max(np.abs([self.before, self.after, self.problem.nudge])))

    @property
    def misuse(self) -> str:
        """What was wrong with the arguments that `loss` was called with, or nothing."""
        return STRANGERS if self.strangers else CROSSED if self.crossed else ""

    @property
    def exchanged(self) -> bool:
        """Whether the right gradients and the rate were handed over in an order in which the rate is not the last."""
        right, row = [*self.gradients, self.rate], self.noted[0]
        orders = ((0, 2, 1), (2, 0, 1), (2, 1, 0), (1, 2, 0))
        return self.calls == 1 and any(
            all(recognise.close(row[place], right[i]) for i, place in enumerate(order)) for order in orders
        )

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
        own = self.gradients[weight] / self.factor
        handed_over = np.sum(self.noted[:, 2] * self.noted[:, weight]) / self.rate
        scale = self.scale / self.factor
        return (
            recognise.close(self.first(weight), own, scale)
            or recognise.close(handed_over, own, scale)
            or self.exchanged
        )

    def kind(self, weight: int) -> str:
        """What the mistake in the weight's gradient is called; `RIGHT` if there is none, "other" if unknown."""
        if self.is_right(weight):
            return RIGHT
        return recognise.first_like(self.first(weight), self._mistaken(weight), "other", self.scale)

    def follows(self, weight: int, kind: str) -> bool:
        """Tell if the gradient is right but for the mistake `kind`."""
        expected = self._mistaken(weight).get(kind)
        return self.is_right(weight) or (expected is not None and recognise.close(self.first(weight), expected))

    def _mistaken(self, weight: int) -> dict[str, float]:
        """What typical mistakes make of the weight's gradient."""
        own, other, n = self.gradients[weight], self.gradients[1 - weight], len(self.problem.inputs)
        return {
            "the other": other,
            "sign": -own,
            "sum": own * n,
            "divided": own / n,
            "half": own / 2,
            "twice": own * 2,
            "rate in it": own * self.rate,
            "no rate": own / self.rate,
            "fixed rate": own * 0.1 / self.rate,
            "rate alone": float(np.sign(own)),
            "none": 0.0,  # last: next to nothing is what is divided by many examples, too
        }

    def mistake(self, weight: int, kind: str = "") -> str:
        """Say what the wrong gradient of the weight looks like; `kind` stands in for its kind if it is given."""
        return self.misuse or SAYS[kind or self.kind(weight)].format(name="wb"[weight])


SAYS = {
    "none": "The gradient for `{name}` is 0, or next to nothing: is this weight updated, with the gradient as it comes "
    "from the tape?",
    "the other": "The gradient for `{name}` is the other weight's: ask the tape for `[model.w, model.b]`, in this "
    "order (`model.trainable_variables` begins with `b`), and hand both over in this order.",
    "sign": "The step of `{name}` goes uphill: hand its gradient to `apply_gradients` as the tape gives it.",
    "sum": "The gradient for `{name}` looks like that of the sum over the examples.",
    "divided": "The gradient for `{name}` looks divided by the number of examples: hand it over as the tape gives it.",
    "half": "The gradient for `{name}` looks like half of the right one.",
    "twice": "The gradient for `{name}` is twice the right one: is it used once?",
    "rate in it": "The gradient for `{name}` already has the learning rate in it: it is used twice.",
    "no rate": "`{name}` moved by the gradient itself: the learning rate is not used.",
    "fixed rate": "`{name}` moved by a fixed learning rate: use the argument.",
    "rate alone": "`{name}` moved by the learning rate alone, as with Adam: plain gradient descent is asked.",
    "other": "The gradient for `{name}` is not that of `loss(model(inputs), outputs)` where the weights were before "
    "the update. Are all four arguments used, and both gradients taken before anything moves?",
}
# Mistakes in what becomes of a gradient, which have been paid for where they are seen: the step still follows the loss.
SCALED = ("the other", "sign", "sum", "divided", "half", "twice", "rate in it", "no rate", "fixed rate")
