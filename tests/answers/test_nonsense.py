"""Whatever a student's process answers, the hidden tests decide: nonsense fails, and is never left to a person."""

from pathlib import Path

import numpy as np
import pytest

from proctor.border import wire
from proctor.border.submission import Submission, scenario_source
from proctor.hidden_tests import session as hidden_tests

TESTS = Path(__file__).parents[2] / "grader_tests" / "custom_training_basics"
FILES = sorted(TESTS.glob("test_*.py"))
ZEROS = {
    "named": np.zeros((3, 2)),
    "held": np.zeros((3, 2)),
    "same": True,
    "calls": np.zeros(2),
    "noted": np.zeros((2, 8, 3)),
    "returned": [0.0, 0.0],
    "strangers": 0,
    "weights": np.zeros((16, 2)),
}
REPLIES = {
    "nothing": None,
    "text": "20 of 20",
    "truth": True,
    "huge": 2**62,
    "not a number": float("nan"),
    "infinite": float("inf"),
    "empty": np.zeros(0),
    "a vector of nan": np.full(17, np.nan),
    "text in an array": np.array(["a"]),
    "nested": [[[]]],
    "an empty report": {},
    "a report of text": dict.fromkeys(ZEROS, "x"),
    "a report of nan": {name: np.full(np.shape(value), np.nan) for name, value in ZEROS.items()},
    "a report of infinity": {name: np.full(np.shape(value), np.inf) for name, value in ZEROS.items()},
    "a report of huge numbers": {name: np.full(np.shape(value), 1e300) for name, value in ZEROS.items()},
    "a report of zeros": ZEROS,
    "zeros in other shapes": {name: np.zeros((7, 7, 7)) for name in ZEROS},
    "zeros and nonsense": {**ZEROS, "returned": [None, {"x": []}], "calls": np.full(2, 1e9)},
    "zeros and negative calls": {**ZEROS, "calls": np.full(2, -1.0)},
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("reply", REPLIES)
def test_nonsense_fails(file, reply):
    """Every item fails with a message; none passes, none is undecided."""
    answer = wire.to_json({"value": REPLIES[reply]})
    items = hidden_tests.run(file, Submission(lambda request: answer, scenario_source(TESTS)), seed=1)
    assert [item.outcome for item in items] == ["failed"] * len(items)
    assert all(item.hint or item.fault for item in items)
