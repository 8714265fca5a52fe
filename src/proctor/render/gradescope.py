"""``results.json`` as Gradescope's autograder reads it: ``proctor check --format gradescope``.

The form is that of https://gradescope-autograders.readthedocs.io/en/latest/specs/ ("Output format").
"""

from typing import Any

from proctor.render import words
from proctor.render.words import number
from proctor.results.submission_result import OrdinaryCell, SubmissionResult
from proctor.results.verdict import CellVerdict, Item


def results(outcome: SubmissionResult) -> dict[str, Any]:
    """Return the contents of ``results.json``.

    Gradescope adds up the tests' scores. What the graded notebook printed stays with the instructor
    (``stdout_visibility``), as do the grader's own messages.
    """
    about = {"output_format": "text", "visibility": "visible", "stdout_visibility": "hidden"}
    if outcome.error:
        return {"score": 0.0, "output": f"This could not be graded: {outcome.error}", **about, "tests": []}
    notes = [f"Note: {words.flag(flag)}" for flag in outcome.flags]
    total = f"{number(outcome.points)} of {number(outcome.max_points)} points"
    tests = [_test(cell, item, f"{first}.{second}")
             for first, cell in enumerate(outcome.cells, 1) for second, item in enumerate(cell.items, 1)]  # fmt: skip
    tests += [_ordinary(cell, str(place)) for place, cell in enumerate(outcome.ordinary, len(outcome.cells) + 1)]
    return {"output": "\n".join([total, *notes]), **about, "tests": tests}


def _ordinary(cell: OrdinaryCell, place: str) -> dict[str, Any]:
    return {
        "name": cell.grade_id.removeprefix("test_"),
        "number": place,
        "score": cell.points or 0.0,
        "max_score": cell.max_points,
        "output": words.ordinary(cell),
        "output_format": "text",
        "visibility": "visible",
    }


def _test(cell: CellVerdict, item: Item, place: str) -> dict[str, Any]:
    test = {
        "name": f"{cell.grade_id.removeprefix('test_')}: {item.asked}",
        "number": place,
        "score": item.points,
        "max_score": item.max_points,
        "output": words.message(item),
        "output_format": "text",
        "visibility": "visible",
    }
    # Gradescope knows passed and failed only; without a status it shows the points and nothing else.
    return test if item.outcome == "undecided" else {**test, "status": item.outcome}
