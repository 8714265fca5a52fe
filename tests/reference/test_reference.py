"""The reference is right: its loss, its gradients and its steps agree with three independent computations."""

import numpy as np
import pytest
import tensorflow as tf

STARTS = [(2.0, 1.0), (1.0, 4.0), (5.0, 0.0), (-3.0, 0.5)]


@pytest.fixture(params=[1, 2, 17, 1000], ids=lambda n: f"{n} examples")
def data(request):
    """Noisy data around a line, inputs not centred, as ``(inputs, outputs)`` of shape ``(N,)``."""
    rng = np.random.default_rng(request.param)
    x = rng.normal(0.7, 1.3, size=request.param)
    return x.astype("float32"), (1.5 * x - 0.8 + rng.normal(size=request.param)).astype("float32")


def closed_form(start, x, y):
    """Loss and gradient of mean((w x + b - y)^2) in float64, from the derivative written out by hand."""
    error = start[0] * x.astype("float64") + start[1] - y.astype("float64")
    return np.mean(error**2), 2 * np.mean(error * x), 2 * np.mean(error)


def loss_at(reference, w, b, x, y):
    return float(reference.loss(tf.constant(w * x + b), tf.constant(y)))


@pytest.mark.parametrize("start", STARTS)
def test_loss_and_gradients_equal_the_closed_form(reference, data, start):
    """Loss, dw and db are those that the derivative on paper gives."""
    ours = [float(value) for value in reference.gradients(reference.Model(*start), *data)]
    assert ours == pytest.approx(closed_form(start, *data), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("start", STARTS)
def test_gradients_equal_finite_differences(reference, data, start):
    """Both gradients are the slopes of the reference's own loss, measured in float64 with central differences."""
    x, y = (values.astype("float64") for values in data)
    (w, b), h = start, 1e-3
    slope_w = (loss_at(reference, w + h, b, x, y) - loss_at(reference, w - h, b, x, y)) / (2 * h)
    slope_b = (loss_at(reference, w, b + h, x, y) - loss_at(reference, w, b - h, x, y)) / (2 * h)
    _, dw, db = reference.gradients(reference.Model(*start), *data)
    assert (float(dw), float(db)) == pytest.approx((slope_w, slope_b), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.3])
def test_steps_equal_those_of_keras_sgd(reference, data, rate):
    """Five steps of `train` and five of Keras' SGD on Keras' mean squared error end in the same place."""
    ours, theirs = reference.Model(2.0, 1.0), reference.Model(2.0, 1.0)
    optimizer, mse = tf.keras.optimizers.SGD(rate), tf.keras.losses.MeanSquaredError()
    x, y = map(tf.constant, data)
    for _ in range(5):
        current_loss = reference.train(ours, x, y, rate)
        with tf.GradientTape() as tape:
            expected_loss = mse(y, theirs(x))
        weights = [theirs.w, theirs.b]
        optimizer.apply_gradients(zip(tape.gradient(expected_loss, weights), weights, strict=True))
        assert float(current_loss) == pytest.approx(float(expected_loss), rel=1e-5)
    assert (ours.w.numpy(), ours.b.numpy()) == pytest.approx((theirs.w.numpy(), theirs.b.numpy()), rel=1e-4)


def test_loss_is_a_scalar_tensor(reference, data):
    """The loss of a batch of any length has no shape left."""
    assert reference.loss(*map(tf.constant, data)).shape == ()


def test_gradients_follow_another_loss(reference, data):
    """With mean |error|^3 for the loss, the gradients are those of mean |error|^3."""
    x, y = data
    error = 2.0 * x.astype("float64") + 1.0 - y
    slope = 3 * error * np.abs(error)
    _, dw, db = reference.gradients(
        reference.Model(2.0, 1.0), x, y, lambda predicted, target: tf.reduce_mean(tf.abs(predicted - target) ** 3)
    )
    assert (float(dw), float(db)) == pytest.approx((np.mean(slope * x), np.mean(slope)), rel=1e-4)


def test_the_update_keeps_the_variables(reference):
    """`apply_gradients` moves the model's own variables by rate times gradient."""
    model = reference.Model(2.0, 1.0)
    w, b = model.w, model.b
    reference.apply_gradients(model, tf.constant(0.5), tf.constant(-2.0), 0.1)
    assert model.w is w
    assert model.b is b
    assert (w.numpy(), b.numpy()) == pytest.approx((1.95, 1.2))
