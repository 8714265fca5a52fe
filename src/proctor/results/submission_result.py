"""What grading one submission came to.

Made by `proctor.grading.student`, remembered by `proctor.records.memory`, shown by `proctor.render` and the report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proctor.results.flag import Flag
from proctor.results.verdict import CellVerdict


@dataclass(frozen=True)
class OrdinaryCell:
    """A graded cell without hidden tests of ours: `points` are nbgrader's, or None where a person grades it."""

    grade_id: str
    max_points: float
    points: float | None


@dataclass(frozen=True)
class SubmissionResult:
    """`error` is empty if the submission was graded; otherwise it says what happened and what to do next.

    `out_of_time`: the error is a limit of ours on time.
    """

    student: str
    cells: tuple[CellVerdict, ...] = ()
    flags: tuple[Flag, ...] = ()
    error: str = ""
    log: str = ""
    ordinary: tuple[OrdinaryCell, ...] = ()
    out_of_time: bool = False

    @property
    def crowded(self) -> bool:
        """Whether it may come to something else where nothing runs beside it."""
        return self.out_of_time or any(flag.crowded for flag in self.flags)

    @property
    def points(self) -> float:
        """Points of all cells that have some by now."""
        return sum(cell.points for cell in self.cells) + sum(cell.points or 0.0 for cell in self.ordinary)

    @property
    def max_points(self) -> float:
        """Points that could be had."""
        return sum(cell.max_points for cell in self.cells) + sum(cell.max_points for cell in self.ordinary)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SubmissionResult":
        """Read what ``dataclasses.asdict`` made. Raises ``KeyError``, ``TypeError`` or ``ValueError`` on all else."""
        cells = tuple(CellVerdict.from_json(cell) for cell in data["cells"])
        ordinary = tuple(OrdinaryCell(**cell) for cell in data["ordinary"])
        flags = tuple(map(Flag.from_json, data["flags"]))
        return cls(**{**data, "cells": cells, "ordinary": ordinary, "flags": flags})
