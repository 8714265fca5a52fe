"""The reference reproduces every figure printed in the published lab and tutorial.

A run of gradient descent on the mean squared error sees its data only through a few sample moments, so data with the
moments of the published runs gives the published runs.
"""

from pathlib import Path

import numpy as np
import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

RUNS = tomllib.loads((Path(__file__).parent / "published_runs.toml").read_text(encoding="utf-8"))
TRUE_W, TRUE_B, LEARNING_RATE, NUM_EXAMPLES = 3.0, 2.0, 0.1, 1000
UNITS = np.array([0.01, 0.01, 0.00001])  # of the last decimal of a printed w, b and loss


def data_with_moments(run):
    """Inputs and outputs, ``(N,)`` each, whose sample moments are the run's to rounding."""
    rng = np.random.default_rng(0)
    one = np.ones(NUM_EXAMPLES)
    basis, _ = np.linalg.qr(np.stack([one, *rng.normal(size=(2, NUM_EXAMPLES))], axis=1))
    u, v = basis[:, 1:].T * np.sqrt(NUM_EXAMPLES)  # mean 0, mean square 1, orthogonal to each other
    spread = np.sqrt(run["mean_xx"] - run["mean_x"] ** 2)
    x = run["mean_x"] + spread * u
    mean_n, mean_xn, mean_nn = (run.get(name, 0.0) for name in ("mean_n", "mean_xn", "mean_nn"))
    along_u = (mean_xn - run["mean_x"] * mean_n) / spread
    along_v = np.sqrt(max(mean_nn - mean_n**2 - along_u**2, 0.0))
    noise = mean_n + along_u * u + along_v * v
    return x, noise


def reproduced(reference, run):
    x, noise = data_with_moments(run)
    result = reference.run(run["start"], x, TRUE_W * x + TRUE_B + noise, LEARNING_RATE, len(run["epochs"]))
    return np.stack([result.w[:-1], result.b[:-1], result.losses], axis=1)


@pytest.mark.parametrize("name", RUNS)
def test_data_has_the_moments_of_the_published_run(name):
    """The data is exactly what the published run can have seen of its own."""
    run = RUNS[name]
    x, noise = data_with_moments(run)
    moments = {"mean_x": x, "mean_xx": x**2, "mean_n": noise, "mean_xn": x * noise, "mean_nn": noise**2}
    for moment, values in moments.items():
        assert np.mean(values) == pytest.approx(run.get(moment, 0.0), abs=1e-12)


def test_reproduces_all_published_figures(reference):
    """120 of 120 printed figures, each to one unit of its last decimal."""
    hits = misses = 0
    for run in RUNS.values():
        printed, ours = np.array(run["epochs"]), reproduced(reference, run)
        close = np.abs(np.round(ours / UNITS) - np.round(printed / UNITS)) <= 1
        hits, misses = hits + int(close.sum()), misses + int((~close).sum())
    assert (hits, misses) == (120, 0)
