"""The catalogue, graded once for all tests of this folder."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parents[1] / "grader_tests" / "custom_training_basics"
sys.path.insert(0, str(HERE))

import catalogue  # noqa: E402 - this folder is no package

SEED = 0


@dataclass(frozen=True)
class Result:
    """What the grader made of one answer: points and texts by test cell; `failed` has the names of the failed tests."""

    points: dict[str, float]
    messages: dict[str, list[str]]
    failed: dict[str, list[str]] = field(default_factory=dict)
    undecided: tuple[str, ...] = ()

    def lost(self) -> set[str]:
        """Test cells with less than full points."""
        return {cell for cell, points in self.points.items() if points < catalogue.FULL[cell]}


def grade(answers: Sequence[catalogue.Answer], seeds: Sequence[int]) -> dict[tuple[str, int], Result]:
    """Grade `answers` in a program of its own; a missing entry is an answer that ended its process."""
    jobs = [{"name": answer.name, "code": answer.code, "seeds": list(seeds)} for answer in answers]
    program = [sys.executable, str(HERE / "grade.py")]
    done = subprocess.run(program, input=json.dumps(jobs), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    lines = map(json.loads, done.stdout.splitlines())
    return {(line["name"], line["seed"]): _result(line["cells"]) for line in lines}


def _result(cells: dict[str, list[tuple[str, float, str, str]]]) -> Result:
    failed = {cell: [item for item in items if item[2] != "passed"] for cell, items in cells.items()}
    return Result(
        points={cell: sum(item[1] for item in items) for cell, items in cells.items()},
        messages={cell: [item[3] for item in items] for cell, items in failed.items()},
        failed={cell: [item[0] for item in items] for cell, items in failed.items()},
        undecided=tuple(item[0] for items in cells.values() for item in items if item[2] == "undecided"),
    )


@pytest.fixture(scope="session")
def answers() -> list[catalogue.Answer]:
    """Every entry of the catalogue."""
    return catalogue.load()


@pytest.fixture(scope="session")
def graded(answers) -> dict[str, Result]:
    """The grader's result for each answer, by its name."""
    return {name: result for (name, _), result in grade(answers, [SEED]).items()}


@pytest.fixture(scope="session")
def hidden_tests() -> list[str]:
    """Names of all hidden tests of the assignment."""
    files = sorted(TESTS.glob("test_*.py"))
    return [name for path in files for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)]
