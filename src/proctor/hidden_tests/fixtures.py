"""The fixtures of hidden tests: the student's notebook and random inputs.

A pytest plugin, loaded by `proctor.hidden_tests.session` for each run.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from proctor.border.submission import Submission


@dataclass
class Given:
    """What one run of hidden tests is about."""

    submission: Submission
    seed: int

    def rng(self, name: str) -> np.random.Generator:
        """Random numbers that depend on the seed and `name` only: the same for every student."""
        digest = hashlib.sha256(f"{self.seed}:{name}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:8], "big"))


GIVEN = pytest.StashKey[Given]()


@pytest.fixture(scope="session")
def submission(request: pytest.FixtureRequest) -> Submission:
    """The student's notebook, to be called."""
    return request.config.stash[GIVEN].submission


@pytest.fixture(scope="session")
def rng_for(request: pytest.FixtureRequest) -> Callable[[str], np.random.Generator]:
    """Random inputs by name, for fixtures that several tests share."""
    return request.config.stash[GIVEN].rng


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random inputs: other ones for each test, the same for every student."""
    return request.config.stash[GIVEN].rng(request.node.name)
