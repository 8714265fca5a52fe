"""One student of a class as the table on the terminal shows it.

Made by `proctor.grading.class_rows`, shown by `proctor.render.class_table`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from proctor.results.flag import Flag


@dataclass(frozen=True)
class ClassRow:
    """Points as the gradebook has them, by graded cell; None where a person has not graded a cell yet.

    `total` is after the late `penalty`; None for a submission that was not graded. `by_hand` are the cells whose points
    a person has set.
    """

    student: str
    points: Mapping[str, float | None] = field(default_factory=dict)
    total: float | None = None
    max_points: float = 0.0
    by_hand: frozenset[str] = frozenset()
    penalty: float = 0.0
    flags: tuple[Flag, ...] = ()
