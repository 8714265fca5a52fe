"""Hidden tests of the exercise `loss`, 4 points."""

import numpy as np
import pytest
import recognise
import reference

# How many examples, and how large: more than the notebook has, and on both sides of any threshold a student may set.
# Prime numbers, as no batch of a student's divides them.
SIZES = {17: 1.0, 2609: 0.1, 331: 1.0, 43: 10.0, 2: 5e4, 1: 0.002}
LENGTHS = tuple(SIZES)
SLOPES = 17, 2609, 2  # lengths at which gradients are looked at
MET = 19  # examples of which every third is met exactly
CALLS = 75  # a training run and the explore cells: what a student's notebook sees of `loss`
EPSILON = 2e-7  # a guard such as `+ tf.keras.backend.epsilon()` is as right


NOT_WHERE_MET = (
    "`loss` is not right where a prediction is equal to its target: its square is 0, and counts in the mean."
)
NO_SLOPE = (
    "The gradient that comes back through `loss` is no number where a prediction is equal to its target: a root and a "
    "logarithm have no slope at 0."
)
LATER = (
    "`loss` is right in its first calls and not in later ones: nothing may be remembered from one call to the next, "
    "such as a first value or a number of calls."
)


def draw(rng, n):
    """Predictions and targets of shape (n,), mostly on one side of each other, so that mistakes show.

    Many of them are close together, few are far apart, and their loss is at least the square of their size: one example
    can happen to be met. In the first length, which a wrong loss fails at, no typical mistake can be taken for another.
    """
    size = SIZES[n]
    while True:
        target = (size * rng.normal(1.0, 2.0, size=n)).astype("float32")
        predicted = (target + size * rng.normal(2.0, 1.5, size=n)).astype("float32")
        right = float(np.mean((predicted.astype("float64") - target) ** 2))
        apart = n != LENGTHS[0] or recognise.apart([right, *recognise.loss_mistakes(predicted, target).values()])
        if apart and right >= size**2:
            return predicted, target


def met(rng, every):
    """Predictions and targets of shape (MET,); each `every`-th prediction is equal to its target."""
    target, away = rng.normal(1.0, 2.0, size=MET), rng.uniform(0.5, 3.0, size=MET)
    away[::every] = 0
    return (target.astype("float32") + away.astype("float32")), target.astype("float32")


def is_nan(value):
    """Whether `value` is one number of whatever shape, but not a number."""
    numeric = isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")
    return numeric and np.size(value) == 1 and bool(np.isnan(value).all())


def shown(value):
    """What the student's loss is, in words for a hint."""
    if value is None:
        return "nothing: does it end with `return …`?"
    if is_nan(value):
        return "NaN, which is no number: is there a division by zero, or a mean over nothing?"
    if isinstance(value, np.ndarray):
        return "a tensor, one value for each example: take the mean over all of them."
    return "something that is not a number."


@pytest.fixture(scope="module")
def valued(submission, rng_for):
    """Predictions, targets, and the value of the student's `loss` there, for each of as many calls as a notebook makes.

    First come all lengths; data that are met in part come next, and last of all.
    """
    rng = rng_for("values")
    pairs = [*(draw(rng, n) for n in LENGTHS), met(rng, 3)]
    pairs += [pairs[0], draw(rng, LENGTHS[0])] * (CALLS // 2) + pairs[-1:]
    values = recognise.items(submission.play("loss_over_calls", pairs), len(pairs))
    return [(*pair, value) for pair, value in zip(pairs, values, strict=True)]


def is_right(value, predicted, target):
    """Whether `value`, whatever it is, is the loss of these data, up to a guard against 0."""
    got, expected = recognise.number(value), reference.loss(predicted, target)
    return recognise.close(got, expected) or abs(got - expected) <= EPSILON


@pytest.mark.points(2)
def test_is_the_mean_squared_error(valued):
    """`loss` is the mean of the squared differences, for any data of any length."""
    for number, (predicted, target, value) in enumerate(valued):
        got = recognise.number(value)
        assert not np.isnan(got), f"`loss` did not return one number, but {shown(value)}"
        right = is_right(value, predicted, target)
        if number == len(LENGTHS):
            assert right or is_right(valued[-1][-1], predicted, target), NOT_WHERE_MET
        assert right or number < len(LENGTHS), LATER
        assert right, recognise.loss_mistake(got, predicted, target)


@pytest.mark.points(0.5)
def test_is_a_scalar(submission, rng):
    """`loss` returns one number for all examples, of shape (), and another one for other data."""
    values = []
    pairs = [draw(rng, n) for n in (*SLOPES, 1)]
    for value in recognise.items(submission.play("each", "loss_of", pairs), len(pairs)):
        got = recognise.number(value)
        # NaN for the one example is paid for above: it is a scalar.
        assert not np.isnan(got) or is_nan(value), f"`loss` did not return one number, but {shown(value)}"
        assert np.shape(value) == (), "`loss` returned one number, but in a list: its shape has to be (), not (1,)."
        values.append(got)
    numbers = {value for value in values if not np.isnan(value)}
    assert len(numbers) > 1, "`loss` returns the same whatever the data are."


@pytest.mark.points(1.5)
def test_gradients_flow_through_it(valued, submission, rng):
    """Gradients flow through `loss`: the slope along the tape is that of the values it returns."""
    cases = [along_the_line(*draw(rng, n)) for n in SLOPES]
    cases += cases[:1]  # what is remembered of the same data was not made on this tape
    if all(is_right(value, *data) for *data, value in valued):  # another loss is paid for above
        cases += [along_the_line(*met(rng, every)) for every in (3, 1)]
    found = recognise.items(submission.play("slopes_of_loss", cases), len(cases))
    for (predicted, target, *_), one in zip(cases, found, strict=True):
        gradient, *ends = recognise.items(one, 3)
        assert gradient is not None, (
            "No gradient comes back through `loss`: it has to compute its value from the predictions in each call, "
            "with TensorFlow operations only, without NumPy, `.numpy()`, `float()`, rounding, whole numbers or a new "
            "`tf.Variable`."
        )
        rise = total(ends[0]) - total(ends[1])
        assert not np.isnan(rise), "`loss` did not return a number, so its slope cannot be told."
        gradient, fits = recognise.array(gradient, predicted.shape), predicted == target
        assert not fits.any() or not np.isnan(gradient).any(), NO_SLOPE
        if fits.all():
            continue  # there is nothing to see but that it is a number
        slope = float(np.sum(gradient * (predicted.astype("float64") - target)))
        assert slope != 0, (
            "The gradient that comes back through `loss` is 0: does the loss change with every prediction, however far "
            "that is from its target?"
        )
        assert abs(slope * 0.1 - rise) <= 0.02 * abs(rise), (
            "The gradient that comes back through `loss` is not the slope of its values: is a part of it hidden from "
            "the tape, or does a value depend on earlier calls?"
        )


def along_the_line(predicted, target):
    """Both, and points ahead and behind on the line from the targets through the predictions.

    The usual losses have no kink there.
    """
    along = predicted.astype("float64") - target
    return predicted, target, *((predicted + step * along).astype("float32") for step in (0.05, -0.05))


def total(value):
    """The sum of what `loss` returned: the tape's gradient is that of the sum."""
    return float(np.sum(value)) if isinstance(value, np.ndarray) else recognise.number(value)
