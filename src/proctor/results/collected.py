"""What was collected of a learning platform's archives, as data, and the file in which that is remembered.

Written by `proctor.collect`. Feedback goes back under the names that the platform gave, and who was late, nobody knows
how late, is told when the class is graded. The file may be deleted: collecting again makes it again.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Collected:
    """One student's: `files` has by its name in ``submitted/`` what each file is called on the platform.

    `late`: the platform marks it as late; None: it marks nobody. `timed`: it is known when it was handed in.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    late: bool | None = None
    timed: bool = False


def _path(state: Path, assignment: str) -> Path:
    return state / "collected" / f"{assignment}.json"


def read(state: Path, assignment: str) -> dict[str, Collected]:
    """Return what is remembered in the folder `state`, by student; nothing if that cannot be read."""
    try:
        data = json.loads(_path(state, assignment).read_text("utf-8"))
        return {student: Collected(**one) for student, one in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def add(state: Path, assignment: str, collected: Mapping[str, Collected]) -> None:
    """Remember `collected`, and of everybody else what was remembered before."""
    known = {**read(state, assignment), **collected}
    path = _path(state, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(json.dumps({student: asdict(one) for student, one in known.items()}, indent=1), encoding="utf-8")
    new.replace(path)
