"""What the hidden tests of one cell found: an item for each test, with its points.

Made by `proctor.hidden_tests.session` and `proctor.notebook.grade`; shown by `proctor.render`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from proctor.results.fault import Fault
from proctor.results.flag import Flag

Outcome = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True)
class Item:
    """One hidden test: what it asks in the student's words, and what came of it.

    A failed test has a message in two parts: `fault` is what happened where no answer came back, `hint` is the author's
    word on where to look. An undecided one has neither: what went wrong is ours.
    """

    name: str
    asked: str
    max_points: float
    outcome: Outcome
    fault: Fault | None = None
    hint: str = ""

    def __post_init__(self) -> None:
        if self.outcome not in get_args(Outcome):
            raise ValueError(f"no such outcome: {self.outcome!r}")

    @property
    def points(self) -> float:
        """Full points or none: an item is one question. Undecided gives none until a person has looked."""
        return self.max_points if self.outcome == "passed" else 0.0


@dataclass(frozen=True)
class CellVerdict:
    """All items of one test cell, and `flags` of what happened on the way (time limits, ended kernels)."""

    grade_id: str
    max_points: float
    items: tuple[Item, ...]
    flags: tuple[Flag, ...] = ()

    @property
    def points(self) -> float:
        """Points earned, from 0 to `max_points`."""
        return sum(item.points for item in self.items)

    @property
    def undecided(self) -> bool:
        """True if a person has to look."""
        return any(item.outcome == "undecided" for item in self.items)

    def as_data(self) -> dict[str, Any]:
        """Plain data that `from_json` reads again."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CellVerdict":
        """Read what `as_data` made. Raises ``KeyError``, ``TypeError`` or ``ValueError`` on anything else."""
        items = tuple(Item(**{**item, "fault": Fault.from_json(item.get("fault"))}) for item in data["items"])
        flags = tuple(map(Flag.from_json, data.get("flags", ())))
        return cls(str(data["grade_id"]), float(data["max_points"]), items, flags)
