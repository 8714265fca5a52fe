"""Compares values from a student's process, whatever they are, and recognises typical mistakes by their numbers.

Used by all hidden tests. Nothing here raises on a value of the wrong kind: it is simply not close to anything.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np

RELATIVE = 1e-3  # float32 in another order of summation is off by 1e-5 at most; mistakes are off by 1e-2 at least


def array(value: object, shape: tuple[int, ...]) -> np.ndarray:
    """Return `value` as floats of `shape`; all NaN, which is close to nothing, if it is anything else."""
    if isinstance(value, np.ndarray) and value.shape == shape:
        return value.astype("float64")
    return np.full(shape, np.nan)


def number(value: object) -> float:
    """Return `value` as a float if it is one number of whatever shape, else NaN."""
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype != bool:
        return float(value.reshape(()))
    return float(value) if type(value) in (int, float) else float("nan")


def count(value: object) -> int:
    """Return `value` if it is a whole number, else 1, as if something had happened."""
    return value if type(value) is int else 1


def field(reply: object, name: str) -> object:
    """Return what `reply` has under `name`, or None."""
    return reply.get(name) if isinstance(reply, dict) else None


def items(reply: object, length: int) -> list[object]:
    """Return `reply` if it is a list of `length`, else as many times None."""
    return reply if isinstance(reply, list) and len(reply) == length else [None] * length


def close(got: float, expected: float, scale: float = 0.0) -> bool:
    """Tell if `got` is `expected`, up to rounding of numbers as large as `scale`. Infinity is close to nothing."""
    return bool(np.isfinite([got, expected]).all() and abs(got - expected) <= RELATIVE * max(abs(expected), scale))


def first_like(got: float, mistakes: Mapping[str, float], otherwise: str, scale: float = 0.0) -> str:
    """Return the description of the first mistake whose value is `got`; `otherwise` if there is none.

    `scale` is how large the right value is, so that nearly nothing is recognised as 0.
    """
    return next((text for text, value in mistakes.items() if close(got, value, scale if value == 0 else 0)), otherwise)


def apart(values: Iterable[float]) -> bool:
    """Tell if no two of `values` can be taken for each other: inputs are drawn until their mistakes cannot."""
    return all(abs(one - other) > 4 * RELATIVE * max(abs(one), abs(other)) for one, other in combinations(values, 2))


def loss_mistake(got: float, predicted: np.ndarray, target: np.ndarray) -> str:
    """Say what a wrong loss of these data looks like; of one or two examples, several mistakes may look the same."""
    like = [text for text, value in loss_mistakes(predicted, target).items() if close(got, value)]
    if len(like) == 1:
        return like[0]
    return "This is not the mean of the squared differences of the two arguments, for data of this length."


def loss_mistakes(predicted: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """What is said of typical wrong losses of these data, and their values."""
    d = predicted.astype("float64") - target
    n, squares = d.size, d**2
    every_pair = np.mean((predicted.astype("float64")[:, None] - target) ** 2)
    return {
        "This looks like the sum over the examples: take the mean.": squares.sum(),
        "This looks like half of the mean squared error: leave the factor out.": squares.mean() / 2,
        "This looks like twice the mean squared error: leave the factor out.": squares.mean() * 2,
        "This looks like half of the sum: take the mean.": squares.sum() / 2,
        "This looks like the root of the mean squared error: leave the root out.": np.sqrt(squares.mean()),
        "This looks like the root of the sum: take the mean, and no root.": np.sqrt(squares.sum()),
        "This looks like the mean of the absolute differences: square them.": np.abs(d).mean(),
        "This looks like the mean of the differences: square them.": d.mean(),
        "This looks like the mean of the differences, turned around: square them.": -d.mean(),
        "This looks like the square of the mean: square first, then take the mean.": d.mean() ** 2,
        "This looks like every prediction against every target: keep both tensors of shape (N,).": every_pair,
        "This has the wrong sign: a mean of squares is never negative.": -squares.mean(),
        "This divides by N - 1: divide by the number of examples.": squares.sum() / max(n - 1, 1),
        "This divides by a fixed number of examples: divide by the number that the arguments have.": squares.sum()
        / 1000,
    }


def step_mistake(name: str, before: float, moved: float, own: float, other: float, rate: float) -> str:
    """Say what a wrong step of the weight `name` looks like.

    It was at `before` and went by `moved`, where its gradient was `own` and that of the other weight `other`.
    """
    otherwise = f"`{name}` did not move by minus learning rate times its gradient."
    return first_like(moved, step_mistakes(name, before, own, other, rate), otherwise, scale=abs(rate * own))


def unmoved(name: str) -> str:
    """Say what is the matter with a weight that stays where it was."""
    return (
        f"`{name}` did not move, or hardly: is there a line that changes it, in the model from the arguments and in "
        f"place, such as `{name}.assign_sub(…)`? A line like `w = w - …` leaves the variable as it is."
    )


def step_mistakes(name: str, before: float, own: float, other: float, rate: float) -> dict[str, float]:
    """What is said of typical wrong steps, and how far the weight goes in them; see `step_mistake`."""
    return {
        unmoved(name): 0.0,
        f"`{name}` moved the wrong way: subtract the step.": rate * own,
        f"`{name}` moved by the gradient itself: the learning rate is not used.": -own,
        f"`{name}` moved the wrong way, and the learning rate is not used.": own,
        f"`{name}` moved by the other weight's gradient: `model.w` goes with `dw` and `model.b` with `db`, and the "
        "arguments come in the order of the given `def` line.": -rate * other,
        f"`{name}` moved by a fixed learning rate: use the argument `learning_rate`.": -0.1 * own,
        f"`{name}` moved twice as far as one step goes: update it once.": -2 * rate * own,
        f"`{name}` moved half as far as one step goes.": -rate * own / 2,
        f"`{name}` moved by the learning rate times itself: use the rate once.": -rate * rate * own,
        f"`{name}` moved by the learning rate alone, as with Adam: plain gradient descent is asked.": -rate
        * np.sign(own),
        f"`{name}` moved by the learning rate alone, and the wrong way.": rate * np.sign(own),
        f"The step was assigned to `{name}` instead of subtracted from it.": rate * own - before,
        f"The negative step was assigned to `{name}` instead of subtracted from it.": -rate * own - before,
        f"The gradient was assigned to `{name}`: subtract learning rate times gradient.": own - before,
    }
