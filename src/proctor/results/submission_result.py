"""What grading one submission came to.

Made by `proctor.grading.student`, remembered by `proctor.course.memory`, shown by `proctor.render` and the report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proctor.results.flag import Flag
from proctor.results.verdict import CellVerdict


@dataclass(frozen=True)
class SubmissionResult:
    """`error` is empty if the submission was graded; otherwise it says what happened and what to do next."""

    student: str
    cells: tuple[CellVerdict, ...] = ()
    flags: tuple[Flag, ...] = ()
    error: str = ""
    log: str = ""

    @property
    def points(self) -> float:
        """Points of all cells."""
        return sum(cell.points for cell in self.cells)

    @property
    def max_points(self) -> float:
        """Points that could be had."""
        return sum(cell.max_points for cell in self.cells)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SubmissionResult":
        """Read what ``dataclasses.asdict`` made. Raises ``KeyError``, ``TypeError`` or ``ValueError`` on all else."""
        cells = tuple(CellVerdict.from_json(cell) for cell in data["cells"])
        return cls(**{**data, "cells": cells, "flags": tuple(map(Flag.from_json, data["flags"]))})
