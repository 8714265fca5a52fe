"""Hidden tests of the training run, 4 points: the student's three functions together, as the notebook uses them.

The inputs have mean 0 and the noise is orthogonal to them, both exactly. Then gradient descent moves ``w`` and ``b``
independently of each other, and towards the true values, so that each item looks at one thing only.
"""

import numpy as np
import pytest
import recognise
import reference

TRUE_W, TRUE_B, RATE, EPOCHS, NUM_EXAMPLES = 3.0, 2.0, 0.1, 15, 1000
# Start, mean square of the inputs (far from the notebook's own 1.0), standard deviation of the noise.
RUNS = (((2.0, 1.0), 1.35, 0.0), ((1.0, 4.0), 0.75, 0.0), ((5.0, 0.0), 1.25, 0.5))
AGE = 2  # epochs on another model before all runs but the first
NEAR = 0.35  # of the true value, after 15 epochs
ON_TRACK = 0.01  # of the reference, at every epoch
SAME_LOSS = 0.02  # relative: more than one example of so many can make, or an answer's points would hang on the seed
GROWS = (
    "The loss grows beyond all bounds: the steps are too large, or go the wrong way. Make the checks of the tasks "
    "above pass first."
)


def draw(rng, mean_square, noise):
    """Inputs and outputs of shape (NUM_EXAMPLES,) with exactly the moments that the module's docstring promises."""
    basis, _ = np.linalg.qr(np.column_stack([np.ones(NUM_EXAMPLES), rng.normal(size=(NUM_EXAMPLES, 2))]))
    u, v = np.sqrt(NUM_EXAMPLES) * basis[:, 1:].T
    x = np.sqrt(mean_square) * u
    return x.astype("float32"), (TRUE_W * x + TRUE_B + noise * v).astype("float32")


@pytest.fixture(scope="module")
def runs(submission, rng_for):
    """For each start: what was played, the student's weights and returned values, and the reference's run."""
    return list(each_run(submission, rng_for("runs")))


def each_run(submission, rng):
    """Yield the entries of `runs`."""
    for number, (start, mean_square, noise) in enumerate(RUNS):
        x, y = draw(rng, mean_square, noise)
        plan = start, x, y, RATE, EPOCHS, AGE if number else 0
        reply = submission.play("training_run", *plan)
        weights = recognise.array(recognise.field(reply, "weights"), (EPOCHS + 1, 2))
        weights[0] = start
        returned = recognise.items(recognise.field(reply, "returned"), EPOCHS)
        yield plan, weights, returned, reference.run(start, x, y, RATE, EPOCHS)


@pytest.mark.points(2)
def test_loss_falls_at_every_epoch(runs, submission):
    """From every start, the loss falls at every epoch, and it is that of the weights from before the update."""
    for plan, weights, returned, _ in runs:
        if any(value is None for value in returned):
            submission.play("training_run", *plan, forgive=False)  # its error, if there is one, says more
        _, x, y, *_ = plan
        losses = np.array([recognise.number(value) for value in returned])
        assert not np.isnan(losses[0]), (
            "`train` did not return one number: it has to return what `loss` gives, and that has to be one number."
        )
        assert np.isfinite(losses).all(), GROWS
        assert all(np.diff(losses) < 0), (
            "The loss does not fall at every epoch: make the checks of the tasks above pass first."
        )
        assert np.isfinite(weights).all(), GROWS
        expected = np.mean((np.outer(weights[:-1, 0], x) + weights[:-1, 1:] - y) ** 2, axis=1)
        assert all(np.isfinite(expected)), GROWS
        assert all(abs(losses - expected) <= SAME_LOSS * expected), (
            "The loss falls, but it is not the mean squared error of the weights from before each update: look at what "
            "`loss` computes, and when `train` computes it."
        )


def check_weight(name, ours, reference_run, goal):
    """Fail unless the weight arrives near its goal, on the way that gradient descent takes."""
    assert abs(ours[-1] - goal) < NEAR, (
        f"`{name}` does not arrive at its true value in {EPOCHS} epochs: make the checks of the tasks above pass first."
    )
    assert all(abs(ours - reference_run) < ON_TRACK), (
        f"`{name}` arrives near its true value, but not on the way that gradient descent takes: is the step right at "
        "every epoch, and is it taken on the data from the arguments?"
    )


@pytest.mark.points(1)
def test_w_becomes_3(runs):
    """From every start, `w` takes the way of gradient descent and ends near 3."""
    for _, weights, _, run in runs:
        check_weight("w", weights[:, 0], run.w, TRUE_W)


@pytest.mark.points(1)
def test_b_becomes_2(runs):
    """From every start, `b` takes the way of gradient descent and ends near 2."""
    for _, weights, _, run in runs:
        check_weight("b", weights[:, 1], run.b, TRUE_B)
