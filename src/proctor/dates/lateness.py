"""How late a submission is and by which rule that costs points, as data.

Noted by `proctor.plugins.late` in the graded notebook's metadata, so that feedback tells the rule by which points were
taken, whatever the configuration says by then. `proctor.render.words` has the sentence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rule:
    """Of the points earned `percent` for each day begun, `at_most` percent; nothing within `grace_minutes`."""

    percent: float
    grace_minutes: float
    at_most: float


@dataclass(frozen=True)
class Lateness:
    """`late` seconds after `due`, a time in UTC as text, in which an extension of `extension` seconds is contained.

    `rule` is None where another plug-in than ours takes points, or none does.
    """

    late: float
    due: str
    extension: float = 0.0
    rule: Rule | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Lateness":
        """Read what ``dataclasses.asdict`` made. Raises ``TypeError`` on anything else."""
        rule = data.get("rule")
        return cls(**{**data, "rule": Rule(**rule) if rule is not None else None})
