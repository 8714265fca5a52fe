"""Hidden tests of the exercise `train`, 8 points: steps on data of other lengths, as many as a notebook makes.

All items look at the same steps, each at one thing. The student's `train` runs with stand-ins for `loss` and
`apply_gradients`, so that it is judged for itself; see `steps`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product

import numpy as np
import pytest
import recognise
import reference
from problems import Problem, at, draw, on_other_data
from steps import EXCHANGED, RIGHT, SCALED, B, Step, W

from proctor.errors import StudentFault

SLOTS = 8  # as in scenarios.py
# Of problems: bounds of the rate, and size, on both sides of any threshold a student may set.
KINDS = ((0.6, 0.8, 0.002), (0.04, 0.07, 2e5))
CALLS = 69  # and eight in order: a training run and the explore cells make 75
USUAL = ((0.15, 0.25, 1.0), (0.04, 0.07, 0.1))
STAY = (np.nan, np.nan)  # the weights are left where a call has brought them
REPLACED = (
    "`model.w = …` replaces the variable: hand the gradients to `apply_gradients`, which updates the model in place."
)
LATER = (
    "`train` is right in its first calls and not in later ones, or on other models: nothing may be remembered from one "
    "call to the next, such as data, a gradient, a model or a number of calls."
)
MIXED = (
    "The gradients are right in some calls of `train` and not in others, so they cannot follow another `loss` either."
)
CRASHED = "`train` ended with an error after it had moved the weights."


def like_the_notebook(problem: Problem, rng: np.random.Generator) -> tuple[str, list[np.ndarray], reference.Loss]:
    """Stand-in that equals the mean squared error on the data of this problem, and is of no use on any other.

    The cross term is 0 as long as one of its two arguments is the problem's outputs.
    """
    n, y, one = len(problem.outputs), problem.outputs.astype("float64"), np.ones(len(problem.outputs))
    numbers = [one * np.mean(y**2) / n, -2 * y / n, one / n, rng.uniform(n, 2 * n, size=n)]
    return "two_sided", numbers, reference.mean_squared_error


def another(problem: Problem, rng: np.random.Generator) -> tuple[str, list[np.ndarray], reference.Loss]:
    """Stand-in for a loss that is not the mean squared error at all, and much flatter."""
    weights = rng.uniform(0.25, 0.75, size=len(problem.outputs)) / len(problem.outputs)

    def loss(predicted: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
        difference = predicted - target
        value = np.sum(weights * np.arcsinh(difference) ** 2) / 2
        return float(value), weights * np.arcsinh(difference) / np.sqrt(1 + difference**2)

    return "pairwise", [weights], loss


@dataclass(frozen=True)
class Plan:
    """One step of `train` for each rate: where the weights are put before it, on which of two models, with which loss.

    `starts` has a row for each step; `models` and `chosen` are numbers, the latter of one of the `stand_ins`, which are
    as many for each of the `problems`. These have other examples, as many, and are the same otherwise.
    """

    problems: list[Problem]
    starts: np.ndarray
    models: list[int]
    rates: list[float]
    stand_ins: list[tuple[str, list[np.ndarray], reference.Loss]]
    chosen: list[int]

    def row(self, stand_in: int) -> int:
        """The number of the problem that this stand-in is for."""
        return stand_in * len(self.problems) // len(self.stand_ins)

    def asked(self, *, forgive: bool) -> tuple:
        """Return the arguments of the scenario."""
        losses = [[name, numbers, self.row(i)] for i, (name, numbers, _) in enumerate(self.stand_ins)]
        data = [np.stack([getattr(problem, what) for problem in self.problems]) for what in ("inputs", "outputs")]
        how = self.rates, self.problems[0].nudge, losses, self.chosen, forgive
        return self.starts, self.models, *data, *how

    def seen(self, reply) -> Iterator[Step]:
        """Yield what was seen of each step."""
        assert recognise.field(reply, "same") is True, REPLACED
        count = len(self.rates)
        after = recognise.array(recognise.field(reply, "after"), (count, 2))
        before = np.where(np.isnan(self.starts), np.roll(after, 1, axis=0), self.starts)
        calls = recognise.array(recognise.field(reply, "calls"), (count,))
        noted = recognise.array(recognise.field(reply, "noted"), (count, SLOTS, 3))
        returned, crashed = (recognise.items(recognise.field(reply, name), count) for name in ("returned", "crashed"))
        misuse = [recognise.count(recognise.field(reply, name)) > 0 for name in ("strangers", "crossed")]
        right: dict[tuple[bytes, int], tuple] = {}  # the same few places come again and again
        for i, rate in enumerate(self.rates):
            place, problem = (before[i].tobytes(), self.chosen[i]), self.problems[self.row(self.chosen[i])]
            if place not in right:
                loss = self.stand_ins[self.chosen[i]][2]
                right[place] = reference.gradients(*before[i], problem.inputs, problem.outputs, loss)
            value, *gradients = right[place]
            step = before[i], after[i], float(calls[i]), noted[i], returned[i], crashed[i] is True
            yield Step(problem, rate, *step, tuple(gradients), value, *misuse)


def two_steps(rng, problem: Problem, stand_in=like_the_notebook) -> Plan:
    """Plan two steps on one new model."""
    stand_ins = [stand_in(problem, rng)]
    return Plan([problem], np.array([problem.start, STAY]), [0, 0], list(problem.rates), stand_ins, [0, 0])


def as_in_a_notebook(rng) -> Plan:
    """Plan as many steps as a notebook makes: from one of two places, with one of two rates, models, data and losses.

    Each combination comes about as often as any other one. At last, the loss rises and falls again on one model. Losses
    with an even number are like the notebook's.
    """
    problem = draw(rng, 11, 0.6, 0.8)
    both = [problem, on_other_data(rng, problem)]
    every = np.array(list(product((0, 1), repeat=5)))
    each = np.concatenate([rng.permutation(every) for _ in range(0, CALLS, len(every))])[:CALLS]
    places = np.array([problem.start, np.add(problem.start, problem.nudge)])
    rising = [(place, 0, 0, data, 0) for place, data in product((0, 1), repeat=2)]
    rising.sort(key=lambda row: at(both[row[3]], *places[row[0]])[0])
    place, rate, model, data, loss = np.concatenate([each, rising, rising[::-1]]).T
    starts = places[place]
    stand_ins = [make(one, rng) for one in both for make in (like_the_notebook, another)]
    rates = [problem.rates[i] for i in rate]
    return Plan(both, starts, model.tolist(), rates, stand_ins, (2 * data + loss).tolist())


def played(submission, plans: Sequence[Plan], *, forgive: bool = True) -> list[list[Step]]:
    """Let the student's `train` take the planned steps.

    An error after the weights have moved is raised only if it is not to be forgiven.
    """
    asked = [plan.asked(forgive=forgive) for plan in plans]
    replies = recognise.items(submission.play("each", "training_steps", asked), len(plans))
    return [list(plan.seen(reply)) for plan, reply in zip(plans, replies, strict=True)]


@pytest.fixture(scope="module")
def groups(submission, rng_for):
    """Steps on some problems: many, of which the ones with another loss stand last, and two on each of the others.

    No length is used twice: a traced function must not remember a stand-in. One is that of the notebook's own data, and
    one is longer.
    """
    rng, many = rng_for("plain"), as_in_a_notebook(rng_for("late"))
    kinds = zip((37, 1252, 1000), (*KINDS, USUAL[0]), (True, False, None), strict=True)
    few = [two_steps(rng, draw(rng, n, *kind, falls=falls)) for n, kind, falls in kinds]
    found, *early = played(submission, [many, *few])
    late = [[replace(step, late=True) for step, loss in zip(found, many.chosen, strict=True) if loss % 2 == number]
            for number in (0, 1)]  # fmt: skip
    return [*early, *late]


@pytest.fixture(scope="module")
def plain(submission, groups):
    """All steps with the stand-in for `loss` that equals the mean squared error: first ones and late ones."""
    *early, like_ours, _ = groups
    factors = [*(own_factor(submission, steps) for steps in early), own_factor(submission, like_ours[:1])]
    known = zip([*early, like_ours], factors, strict=True)
    return [replace(step, factor=factor) for steps, factor in known for step in steps]


@pytest.fixture(scope="module")
def others(plain, submission, rng_for):
    """Steps with another loss, two on each of some data; first of all on two examples that are met: the loss is 0."""
    rng = rng_for("others")
    few, many = (draw(rng, n, *kind) for n, kind in zip((14, 1264), USUAL, strict=True))
    start, inputs = tuple(np.round(few.start)), np.float32([2, 2])
    met = replace(few, start=start, inputs=inputs, outputs=np.float32(start[0] * inputs + start[1]))
    # Who takes the data in batches has paid for that with the other loss.
    problems = [met, few, *([] if any(step.strangers for step in plain) else [many])]
    return [*chain(*played(submission, [two_steps(rng, problem, another) for problem in problems]))]


@pytest.fixture(scope="module")
def late(groups):
    """The steps of many with another loss than the mean squared error."""
    return groups[-1]


def own_factor(submission, steps: list[Step]) -> float:
    """What the student's own `loss` is too large by, if the gradients of these steps make up for it; else 1."""
    factors = {"divided": len(steps[0].problem.inputs), "half": 2.0, "twice": 0.5}
    kinds = {step.kind(weight) for step in steps for weight in (W, B)}
    factor = factors.get(next(iter(kinds)), 1.0) if len(kinds) == 1 else 1.0
    if factor == 1.0:
        return factor
    problem, (w, b) = steps[0].problem, steps[0].before
    predicted = (w * problem.inputs + b).astype("float32")
    try:
        own = recognise.number(submission.play("loss_of", predicted, problem.outputs))
    except StudentFault:
        return 1.0
    return factor if recognise.close(own, factor * steps[0].loss) else 1.0


def check_gradient(plain: list[Step], weight: int) -> None:
    """Fail unless the weight's gradient is right in every step. A small one is not called none if others are right."""
    wrong = next((step for step in plain if not step.is_right(weight)), None)
    if wrong is None:
        return
    assert not wrong.late or wrong.misuse, LATER
    is_small = wrong.kind(weight) == "none" and wrong.calls and wrong.first(weight) != 0
    is_cut = is_small and any(step.is_right(weight) for step in plain)
    raise AssertionError(wrong.mistake(weight, "other" if is_cut else ""))


@pytest.mark.points(1.5)
def test_gradient_for_w(plain):
    """The gradient for `w` is that of your `loss`, for any data, any model and step after step."""
    check_gradient(plain, W)


@pytest.mark.points(1.5)
def test_gradient_for_b(plain):
    """The gradient for `b` is that of your `loss`, for any data, any model and step after step."""
    check_gradient(plain, B)


@pytest.mark.points(3)
def test_follows_any_loss(plain, late, others):
    """The step follows whatever `loss` is: with another function of that name, the gradients are the other one's."""
    # What is wrong with a gradient whatever the loss is has been paid for in the tests above.
    kinds = {weight: known(plain, weight) for weight in (W, B)}
    weights = [weight for weight, kind in kinds.items() if kind is not None]
    assert weights or not any(all(map(step.is_right, kinds)) for step in plain), MIXED
    assert weights, "Neither gradient is one that could follow another `loss`."
    for step in [*others[1:], *late]:
        assert all(step.follows(weight, kinds[weight]) for weight in weights), step.misuse or (
            "With another loss in place of yours, the gradients should be the other one's. Call `loss` on the tape, "
            "with `model(inputs)` and `outputs` as they are: no formula of your own, no other loss."
        )


def known(plain: list[Step], weight: int) -> str | None:
    """The one mistake in all gradients of the weight, if it leaves them following the loss; None if there is none."""
    if any(step.strangers for step in plain):
        return RIGHT  # some examples are so few that they are one batch
    kinds = {replace(step, factor=1.0).kind(weight) for step in plain}
    kind = next(iter(kinds)) if len(kinds) == 1 else None
    return kind if kind == RIGHT or kind in SCALED else None


@pytest.mark.points(1)
def test_returns_the_loss_from_before(plain, others, submission, rng):
    """`train` returns the loss from before the update."""
    for step in plain:
        if step.crashed:
            played(submission, [two_steps(rng, step.problem)], forgive=False)
            raise AssertionError(CRASHED)
        got = recognise.number(step.returned)
        right = recognise.close(got, step.loss) or recognise.close(got, step.loss / step.factor)
        assert right or not step.late, LATER
        assert step.returned is not None, "`train` returns nothing: does it end with `return …`?"
        assert not np.isnan(got), "`train` did not return one number: return the loss, and only that."
        moved = not np.array_equal(np.float32(step.before), np.float32(step.after))
        assert moved, "The model did not move, so there is no before and after."
        after = at(step.problem, *step.after)[0]
        assert right or not recognise.close(got, after), (
            "`train` returned the loss from after the update: compute it once, on the tape, and return that value."
        )
        assert right, step.misuse or "`train` has to return the value of `loss(model(inputs), outputs)`."
        assert np.shape(step.returned) == (), (
            "`train` returned the loss, but in a list: return the loss itself, of shape ()."
        )
    assert recognise.number(others[0].returned) == 0, "`train` has to return the loss also where it is 0."


@pytest.mark.points(1)
def test_one_call_is_one_update(plain):
    """One call is one update with the `learning_rate` of that call."""
    for step in plain:
        assert not step.exchanged, EXCHANGED
        for weight in (W, B):
            got, used, rate = step.total(weight), step.first(weight), step.rate
            scale = rate * step.scale / step.factor + step.rounding
            once = recognise.close(got, rate * step.gradients[weight] / step.factor, scale)
            # A wrong gradient has been paid for above; here it only has to be used once, with the rate.
            own = bool(step.calls) and used != 0 and recognise.close(got, rate * used, scale)
            assert once or own, update_mistake("wb"[weight], got, used, rate, scale)


def update_mistake(name: str, got: float, used: float, rate: float, scale: float) -> str:
    """Say what a wrong update with the gradient `used` looks like; updates are about as large as `scale`."""
    mistakes = {
        f"`{name}` is not updated.": 0.0,
        f"`{name}` is updated twice in one call of `train`: once is enough.": 2 * rate * used,
        f"`{name}` is updated with the learning rate 0.1, and not with `learning_rate`: use the argument.": 0.1 * used,
        f"`{name}` is updated without the learning rate.": used,
        f"`{name}` is updated with the learning rate used twice.": rate * rate * used,
        f"`{name}` is updated the wrong way.": -rate * used,
    }
    otherwise = f"`{name}` is not updated once, by `learning_rate` times its gradient, on the model from the arguments."
    return recognise.first_like(got, mistakes, otherwise, scale)
