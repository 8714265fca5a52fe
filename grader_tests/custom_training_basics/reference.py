"""What is right: the mean squared error, its gradients and gradient descent on them, in NumPy and float64.

The hidden tests compare a student's answer with these numbers. They stay in the grader's process. That they are right
is not taken on trust: ``tests/reference`` holds them against TensorFlow's tape, finite differences, Keras' SGD and the
runs printed in the published lab and tutorial.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Loss = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]


def loss(predicted: np.ndarray, target: np.ndarray) -> float:
    """Mean squared error of two arrays of shape ``(N,)``."""
    return mean_squared_error(predicted, target)[0]


def mean_squared_error(predicted: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss, and its slope along each prediction, shape ``(N,)``."""
    difference = np.asarray(predicted, np.float64) - target
    return float(np.mean(difference**2)), 2 * difference / difference.size


def gradients(
    w: float, b: float, inputs: np.ndarray, outputs: np.ndarray, loss: Loss = mean_squared_error
) -> tuple[float, float, float]:
    """The loss of the model ``w * x + b`` and its gradients with respect to ``w`` and ``b``, for any `loss`.

    The weights may be whatever a student's process has said: what cannot be computed is infinite or NaN, in silence.
    """
    x = np.asarray(inputs, np.float64)
    with np.errstate(all="ignore"):
        value, slope = loss(w * x + b, outputs)
        return value, float(np.sum(slope * x)), float(np.sum(slope))


@dataclass(frozen=True)
class Run:
    """What a training run looked like.

    `losses` has one value for each epoch, from before its update; `w` and `b` have the same and then the final one.
    """

    w: np.ndarray
    b: np.ndarray
    losses: np.ndarray


def run(start: tuple[float, float], inputs: np.ndarray, outputs: np.ndarray, learning_rate: float, epochs: int) -> Run:
    """Train a model from `start`, as the notebook's training loop does; `inputs` and `outputs` are ``(N,)``."""
    weights, losses = [np.array(start, np.float64)], []
    for _ in range(epochs):
        value, *slopes = gradients(*weights[-1], inputs, outputs)
        losses.append(value)
        weights.append(weights[-1] - learning_rate * np.array(slopes))
    w, b = np.array(weights).T
    return Run(w, b, np.array(losses))
