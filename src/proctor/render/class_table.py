"""The class as a table for the terminal."""

from collections.abc import Iterable, Sequence

from proctor.render import words
from proctor.render.words import number
from proctor.results.submission_result import SubmissionResult


def class_table(outcomes: Iterable[SubmissionResult]) -> str:
    """One line a student: points by exercise, in total, and what an instructor should know."""
    outcomes = sorted(outcomes, key=lambda outcome: outcome.student)
    exercises = list(dict.fromkeys(cell.grade_id for outcome in outcomes for cell in outcome.cells))
    head = ["student", *(name.removeprefix("test_") for name in exercises), "total", "flags"]
    return _aligned([head, *(_row(outcome, exercises) for outcome in outcomes)])


def _row(outcome: SubmissionResult, exercises: Sequence[str]) -> list[str]:
    if outcome.error:
        return [outcome.student, *("-" for _ in exercises), "-", "NOT GRADED"]
    by_name = {cell.grade_id: cell for cell in outcome.cells}
    points = [number(by_name[name].points) if name in by_name else "-" for name in exercises]
    total = f"{number(outcome.points)}/{number(outcome.max_points)}"
    return [outcome.student, *points, total, "; ".join(map(words.flag, outcome.flags))]


def warnings_below(outcomes: Iterable[SubmissionResult]) -> list[str]:
    """What concerns the class and not one student: student code that ran without a sandbox."""
    unprotected = [outcome.student for outcome in outcomes if any(flag.kind == "unsandboxed" for flag in outcome.flags)]
    if not unprotected:
        return []
    return [f"WARNING: {len(unprotected)} graded without the whole sandbox; `proctor doctor` says what is missing."]


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    last = len(widths) - 1

    def line(row: Sequence[str]) -> str:
        cells = (text.ljust(width) if column in (0, last) else text.rjust(width)
                 for column, (text, width) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        return "  ".join(cells).rstrip()

    return "\n".join([line(rows[0]), "  ".join("-" * width for width in widths[:-1]), *map(line, rows[1:])])
