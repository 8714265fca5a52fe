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


def on_a_tape(start, x, y, loss):
    """Loss and gradients as the notebook computes them: with TensorFlow, in float32."""
    w, b = map(tf.Variable, start)
    with tf.GradientTape() as tape:
        value = loss(w * x + b, tf.constant(y))
    return [float(number) for number in (value, *tape.gradient(value, [w, b]))]


def mean_of_squares(predicted, target):
    return tf.reduce_mean(tf.square(predicted - target))


@pytest.mark.parametrize("start", STARTS)
def test_loss_and_gradients_equal_those_of_the_tape(reference, data, start):
    """Loss, dw and db are those that TensorFlow gives for the notebook's solution."""
    assert reference.gradients(*start, *data) == pytest.approx(
        on_a_tape(start, *data, mean_of_squares), rel=1e-4, abs=1e-4
    )


@pytest.mark.parametrize("start", STARTS)
def test_gradients_equal_finite_differences(reference, data, start):
    """Both gradients are the slopes of the reference's own loss, measured in float64 with central differences."""
    x, y = (values.astype("float64") for values in data)
    (w, b), h = start, 1e-3

    def loss_at(w, b):
        return reference.loss(w * x + b, y)

    slope_w = (loss_at(w + h, b) - loss_at(w - h, b)) / (2 * h)
    slope_b = (loss_at(w, b + h) - loss_at(w, b - h)) / (2 * h)
    assert reference.gradients(w, b, *data)[1:] == pytest.approx((slope_w, slope_b), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.3])
def test_a_run_equals_that_of_keras_sgd(reference, data, rate):
    """Five epochs, and five steps of Keras' SGD on Keras' mean squared error, take the same way."""
    run = reference.run((2.0, 1.0), *data, rate, 5)
    x, y = map(tf.constant, data)
    weights = [tf.Variable(2.0), tf.Variable(1.0)]
    optimizer, mse = tf.keras.optimizers.SGD(rate), tf.keras.losses.MeanSquaredError()
    for epoch in range(5):
        assert (run.w[epoch], run.b[epoch]) == pytest.approx([weight.numpy() for weight in weights], rel=1e-4)
        with tf.GradientTape() as tape:
            expected = mse(y, weights[0] * x + weights[1])
        optimizer.apply_gradients(zip(tape.gradient(expected, weights), weights, strict=True))
        assert run.losses[epoch] == pytest.approx(float(expected), rel=1e-4, abs=1e-9)
    assert (run.w[5], run.b[5]) == pytest.approx([weight.numpy() for weight in weights], rel=1e-4)


def test_gradients_follow_another_loss(reference, data):
    """With mean |error|^3 for the loss, the gradients are those that the tape gives for it."""

    def cubes(predicted, target):
        error = predicted - target
        return float(np.mean(np.abs(error) ** 3)), 3 * error * np.abs(error) / error.size

    expected = on_a_tape((2.0, 1.0), *data, lambda predicted, target: tf.reduce_mean(tf.abs(predicted - target) ** 3))
    assert reference.gradients(2.0, 1.0, *data, cubes) == pytest.approx(expected, rel=1e-4)
