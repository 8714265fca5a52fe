"""Hidden tests of the exercise `train`, 8 points: steps on data of other lengths, as many as a notebook makes.

All items look at the same steps, each at one thing. The student's `train` runs with stand-ins for `loss` and
`apply_gradients`, so that it is judged for itself; see `steps`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import recognise
import reference
from problems import Problem, at, draw
from steps import EXCHANGED, RIGHT, SCALED, B, Step, W

from proctor.errors import StudentFault

SLOTS = 8  # as in scenarios.py
# Of problems: bounds of the rate, and size, on both sides of any threshold a student may set. The loss does not fall.
KINDS = ((0.6, 0.8, 0.002), (0.04, 0.07, 30.0))
CALLS = 77  # a training run and the explore cells make 75
USUAL = ((0.15, 0.25, 1.0), (0.04, 0.07, 0.1))
STAY = (np.nan, np.nan)  # the weights are left where a call has brought them
REPLACED = (
    "`model.w = …` replaces the variable: hand the gradients to `apply_gradients`, which updates the model in place."
)
LATER = (
    "`train` is right in its first calls and not in later ones, or on other models: nothing may be remembered from one "
    "call to the next, such as a gradient, a model or a number of calls."
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


def steps_of(submission, rng, problem: Problem, stand_in=like_the_notebook, *, forgive: bool = True) -> list[Step]:
    """Let the student's `train` take two steps on one new model."""
    starts, rates, models = np.array([problem.start, STAY]), list(problem.rates), [0, 0]
    return list(played(submission, problem, starts, models, rates, [stand_in(problem, rng)], [0, 0], forgive=forgive))


def played(submission, problem: Problem, starts, models, rates, stand_ins, chosen, *, forgive=True) -> Iterator[Step]:
    """Play one step for each rate, and yield what was seen of it.

    An error after the weights have moved is raised only if it is not to be forgiven.
    """
    data, losses = (problem.inputs, problem.outputs), [[name, numbers] for name, numbers, _ in stand_ins]
    plan = starts, models, *data, rates, problem.nudge, losses, chosen, forgive
    reply = submission.play("training_steps", *plan)
    assert recognise.field(reply, "same") is True, REPLACED
    after = recognise.array(recognise.field(reply, "after"), (len(rates), 2))
    before = np.where(np.isnan(starts), np.roll(after, 1, axis=0), starts)
    calls = recognise.array(recognise.field(reply, "calls"), (len(rates),))
    noted = recognise.array(recognise.field(reply, "noted"), (len(rates), SLOTS, 3))
    returned, crashed = (recognise.items(recognise.field(reply, name), len(rates)) for name in ("returned", "crashed"))
    misuse = [recognise.count(recognise.field(reply, name)) > 0 for name in ("strangers", "crossed")]
    right: dict[tuple[bytes, int], tuple] = {}  # the same few places come again and again
    for i, rate in enumerate(rates):
        place = before[i].tobytes(), chosen[i]
        if place not in right:
            right[place] = reference.gradients(*before[i], *data, stand_ins[chosen[i]][2])
        value, *gradients = right[place]
        seen = before[i], after[i], float(calls[i]), noted[i], returned[i], crashed[i] is True
        yield Step(problem, rate, *seen, tuple(gradients), value, *misuse)


@pytest.fixture(scope="module")
def late(submission, rng_for):
    """As many steps as a notebook makes: each on one of two models, from one of two places, with one of two rates.

    The loss is one of two, too. Returns the steps with one like the notebook's, and those with another.
    """
    rng = rng_for("late")
    problem = draw(rng, 11, 0.6, 0.8)
    which = rng.integers(2, size=(4, CALLS))
    starts = np.array([problem.start, np.add(problem.start, problem.nudge)])[which[0]]
    rates, models, chosen = [problem.rates[i] for i in which[1]], which[2].tolist(), which[3].tolist()
    stand_ins = [like_the_notebook(problem, rng), another(problem, rng)]
    found = [replace(step, late=True) for step in played(submission, problem, starts, models, rates, stand_ins, chosen)]
    return tuple([step for step, loss in zip(found, chosen, strict=True) if loss == number] for number in (0, 1))


@pytest.fixture(scope="module")
def plain(submission, rng_for, late):
    """All steps with the stand-in for `loss` that equals the mean squared error: first ones and late ones.

    No length is used twice: a traced function must not remember a stand-in. One is longer than the notebook's own data.
    """
    rng = rng_for("plain")
    early = [steps_of(submission, rng, draw(rng, n, *kind)) for n, kind in zip((37, 1252), KINDS, strict=True)]
    groups = [(steps, own_factor(submission, steps)) for steps in early]
    groups.append((late[0], own_factor(submission, late[0][:1])))
    return [replace(step, factor=factor) for steps, factor in groups for step in steps]


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
    """Fail unless the weight's gradient is right in every step."""
    wrong = next((step for step in plain if not step.is_right(weight)), None)
    assert wrong is None or not wrong.late or wrong.misuse, LATER
    assert wrong is None, wrong.mistake(weight)


@pytest.mark.points(1.5)
def test_gradient_for_w(plain):
    """The gradient for `w` is that of your `loss`, for any data, any model and step after step."""
    check_gradient(plain, W)


@pytest.mark.points(1.5)
def test_gradient_for_b(plain):
    """The gradient for `b` is that of your `loss`, for any data, any model and step after step."""
    check_gradient(plain, B)


@pytest.mark.points(3)
def test_follows_any_loss(plain, late, submission, rng):
    """The step follows whatever `loss` is: with another function of that name, the gradients are the other one's."""
    # What is wrong with a gradient whatever the loss is has been paid for in the tests above.
    kinds = {weight: known(plain, weight) for weight in (W, B)}
    weights = [weight for weight, kind in kinds.items() if kind is not None]
    assert weights or not any(all(map(step.is_right, kinds)) for step in plain), MIXED
    assert weights, "Neither gradient is one that could follow another `loss`."
    few, many = (draw(rng, n, *kind) for n, kind in zip((14, 1264), USUAL, strict=True))
    steps = steps_of(submission, rng, few, another)
    if not any(step.strangers for step in plain):  # who takes the data in batches has paid for that above
        steps += steps_of(submission, rng, many, another)
    for step in [*steps, *late[1]]:
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
def test_returns_the_loss_from_before(plain, submission, rng):
    """`train` returns the loss from before the update."""
    for step in plain:
        if step.crashed:
            steps_of(submission, rng, step.problem, forgive=False)
            raise AssertionError(CRASHED)
        got = recognise.number(step.returned)
        right = recognise.close(got, step.loss) or recognise.close(got, step.loss / step.factor)
        assert right or not step.late, LATER
        assert step.returned is not None, "`train` returns nothing: does it end with `return …`?"
        assert not np.isnan(got), "`train` did not return one number: return the loss, and only that."
        after = at(step.problem, *step.after)[0]
        assert not recognise.close(after, step.loss), "The model did not move, so there is no before and after."
        assert not recognise.close(got, after), (
            "`train` returned the loss from after the update: compute it once, on the tape, and return that value."
        )
        assert right, step.misuse or "`train` has to return the value of `loss(model(inputs), outputs)`."
        assert np.shape(step.returned) == (), (
            "`train` returned the loss, but in a list: return the loss itself, of shape ()."
        )


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
