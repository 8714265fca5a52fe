"""The catalogue, graded once for all tests of this folder."""

import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parents[1] / "grader_tests" / "custom_training_basics"
sys.path.insert(0, str(HERE))

import catalogue  # noqa: E402 - this folder is no package
import results  # noqa: E402


@pytest.fixture(scope="session")
def answers() -> list[catalogue.Answer]:
    """Every entry of the catalogue."""
    return catalogue.load()


@pytest.fixture(scope="session")
def graded(answers) -> dict[str, results.Result]:
    """The grader's result for each answer, by its name."""
    return results.of_answers(answers)


@pytest.fixture(scope="session")
def hidden_tests() -> list[str]:
    """Names of all hidden tests of the assignment."""
    files = sorted(TESTS.glob("test_*.py"))
    return [name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)]
