"""What ``proctor check --json`` prints: the form is in the documentation, so that programs can rely on it."""

from typing import Any

from proctor.render import words
from proctor.results.submission_result import OrdinaryCell, SubmissionResult
from proctor.results.verdict import CellVerdict, Item


def results(result: SubmissionResult) -> dict[str, Any]:
    """Return one object: points, cells with their items, and notes."""
    return {
        "points": result.points,
        "max_points": result.max_points,
        "cells": [*map(_cell, result.cells), *map(_ordinary, result.ordinary)],
        "notes": [words.flag(flag) for flag in result.flags],
    }


def _cell(cell: CellVerdict) -> dict[str, Any]:
    items = [_item(item) for item in cell.items]
    return {"grade_id": cell.grade_id, "points": cell.points, "max_points": cell.max_points, "items": items}


def _ordinary(cell: OrdinaryCell) -> dict[str, Any]:
    """A cell without items; its points are null where a person has to grade it."""
    return {"grade_id": cell.grade_id, "points": cell.points, "max_points": cell.max_points, "items": []}


def _item(item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "points": item.points,
        "max_points": item.max_points,
        "passed": {"passed": True, "failed": False}.get(item.outcome),
        "message": words.message(item),
    }
