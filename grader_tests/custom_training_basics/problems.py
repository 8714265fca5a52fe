"""Random training problems on which the usual mistakes lead to clearly different numbers."""

from dataclasses import dataclass, replace

import numpy as np
import recognise
import reference

APART = 0.05  # what a mistake changes at least, relative to the right value


@dataclass(frozen=True)
class Problem:
    """Data for `train`, where to start, and the rate of each step.

    `nudge` is how the stand-in for `apply_gradients` moves the weights.
    """

    inputs: np.ndarray
    outputs: np.ndarray
    start: tuple[float, float]
    rates: tuple[float, float]
    nudge: tuple[float, float]


def draw(
    rng: np.random.Generator, n: int, low: float, high: float, size: float = 1.0, *, falls: bool | None = None
) -> Problem:
    """Draw `n` examples around a line, and two rates between `low` and `high`; the nudge lets the loss fall, or rise.

    `size` is about how large weights and outputs are: loss and gradients go with its square and with itself. The inputs
    are not centred, or the gradient of ``b`` would not depend on ``w``.
    """
    while True:
        slope, intercept = size * rng.uniform(1.0, 3.0, size=2) * rng.choice([-1, 1], size=2)
        away = size * rng.uniform(1.0, 2.5, size=2) * rng.choice([-1, 1], size=2)
        nudge = size * rng.uniform(0.3, 0.6, size=2) * rng.choice([-1, 1], size=2)
        inputs, outputs = _examples(rng, n, slope, intercept, size)
        problem = Problem(
            inputs=inputs,
            outputs=outputs,
            start=(float(slope + away[0]), float(intercept + away[1])),
            rates=(float(rng.uniform(low, high)), float(rng.uniform(low, high))),
            nudge=(float(nudge[0]), float(nudge[1])),
        )
        if _mistakes_show(problem, size) and falls in (None, _falls(problem)):
            return problem


def on_other_data(rng: np.random.Generator, problem: Problem) -> Problem:
    """The same problem of size 1 on as many other examples, with other gradients in all of its places."""
    places = problem.start, tuple(np.add(problem.start, problem.nudge))
    while True:
        inputs, outputs = _examples(rng, len(problem.inputs), *rng.uniform(-3.0, 3.0, size=2), 1.0)
        other = replace(problem, inputs=inputs, outputs=outputs)
        pairs = [(at(problem, *place), at(other, *place)) for place in places]
        if _mistakes_show(other, 1.0) and all(_differ(*values) for pair in pairs for values in zip(*pair, strict=True)):
            return other


def _examples(rng: np.random.Generator, n: int, slope: float, intercept: float, size: float):
    x = rng.normal(0.8, 1.0, size=n)
    x[0], x[1] = 0.0, x[2]  # what students take for a gap, and what comes twice
    return x.astype("float32"), (slope * x + intercept + 0.5 * size * rng.normal(size=n)).astype("float32")


def _falls(problem: Problem) -> bool:
    nudged = np.add(problem.start, problem.nudge)
    return at(problem, *nudged)[0] < at(problem, *problem.start)[0]


def _mistakes_show(problem: Problem, size: float) -> bool:
    loss, dw, db = at(problem, *problem.start)
    w, b = problem.start
    rate, later_rate = problem.rates
    after = at(problem, w - rate * dw, b - rate * db)
    later_b = at(problem, w - rate * dw, b)
    nudged, nudged_w = at(problem, w + problem.nudge[0], b + problem.nudge[1]), at(problem, w + problem.nudge[0], b)
    return (
        min(abs(dw), abs(db)) > 0.5 * size
        and _differ(later_rate, rate)
        and all(_told_apart(dw, db, rate, len(problem.inputs)) for rate in problem.rates)
        and abs(abs(dw) - abs(db)) > 0.2 * max(abs(dw), abs(db))
        and all(_differ(other, loss) for other in (after[0], nudged[0]))
        and all(_differ(other, db) for other in (later_b[2], nudged_w[2], nudged[2]))
    )


def _told_apart(dw: float, db: float, rate: float, n: int) -> bool:
    factors = np.array([0, 1, -1, 2, 0.5, rate, 1 / rate, 0.1 / rate, n, 1 / n])  # of a gradient, and of a step
    return recognise.apart([*factors * dw, db, np.sign(dw)]) and recognise.apart([*factors * db, dw, np.sign(db)])


def at(problem: Problem, w: float, b: float) -> tuple[float, float, float]:
    """The mean squared error on the problem's data and its slopes along ``w`` and ``b``."""
    return reference.gradients(w, b, problem.inputs, problem.outputs)


def _differ(one: float, other: float) -> bool:
    return abs(one - other) > APART * abs(other)
