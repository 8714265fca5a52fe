"""What the hidden tests make of answers: runs ``grade.py`` and reads what it wrote. Used by tests and by commands."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import catalogue

HERE = Path(__file__).parent


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


def job(name: str, code: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """Make one job for `graded`: see ``grade.py`` for what may be in it."""
    return {"name": name, "code": dict(code), "seeds": [0], **more}


def graded(jobs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int, Result]]:
    """Yield name, seed and result as they come. A job without results is an answer that ended its process."""
    with tempfile.TemporaryFile("w+") as errors:
        program = subprocess.Popen(
            [sys.executable, str(HERE / "grade.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        with program:
            program.stdin.write(json.dumps(list(jobs)))
            program.stdin.close()
            for line in map(json.loads, program.stdout):
                yield line["name"], line["seed"], _result(line["cells"])
        errors.seek(0)
        assert program.returncode == 0, errors.read()[-3000:]


def of_answers(answers: Sequence[catalogue.Answer]) -> dict[str, Result]:
    """Grade answers of the catalogue once; results by name."""
    return {name: result for name, _, result in graded([job(answer.name, answer.code) for answer in answers])}


def _result(cells: dict[str, list[tuple[str, float, str, str]]]) -> Result:
    failed = {cell: [item for item in items if item[2] != "passed"] for cell, items in cells.items()}
    return Result(
        points={cell: sum(item[1] for item in items) for cell, items in cells.items()},
        messages={cell: [item[3] for item in items] for cell, items in failed.items()},
        failed={cell: [item[0] for item in items] for cell, items in failed.items()},
        undecided=tuple(item[0] for items in cells.values() for item in items if item[2] == "undecided"),
    )
