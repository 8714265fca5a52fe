"""What ``proctor check --json`` prints: the form is in the documentation, so that programs can rely on it."""

from typing import Any

from proctor.render import words
from proctor.results.submission_result import SubmissionResult
from proctor.results.verdict import CellVerdict, Item


def results(result: SubmissionResult) -> dict[str, Any]:
    """Return one object: points, cells with their items, and notes."""
    return {
        "points": result.points,
        "max_points": result.max_points,
        "cells": [_cell(cell) for cell in result.cells],
        "notes": [words.flag(flag) for flag in result.flags],
    }


def _cell(cell: CellVerdict) -> dict[str, Any]:
    items = [_item(item) for item in cell.items]
    return {"grade_id": cell.grade_id, "points": cell.points, "max_points": cell.max_points, "items": items}


def _item(item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "points": item.points,
        "max_points": item.max_points,
        "passed": {"passed": True, "failed": False}.get(item.outcome),
        "message": words.message(item),
    }
