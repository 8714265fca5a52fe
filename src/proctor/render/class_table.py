"""The class as a table for the terminal."""

from collections.abc import Sequence

from proctor.render import words
from proctor.render.words import number
from proctor.results.class_row import ClassRow


def class_table(rows: Sequence[ClassRow]) -> str:
    """One line a student: points by exercise, in total, and what an instructor should know."""
    exercises = list(dict.fromkeys(name for row in rows for name in row.points))
    head = ["student", *(name.removeprefix("test_") for name in exercises), "total", "flags"]
    return _aligned([head, *(_line(row, exercises) for row in rows)])


def _line(row: ClassRow, exercises: Sequence[str]) -> list[str]:
    if row.total is None:
        return [row.student, *("-" for _ in exercises), "-", "NOT GRADED"]
    points = [_points(row, name) for name in exercises]
    late = [f"late: {number(row.penalty)} off"] if row.penalty else []
    return [
        row.student,
        *points,
        f"{number(row.total)}/{number(row.max_points)}",
        "; ".join([*late, *words.flags(row.flags)]),
    ]


def _points(row: ClassRow, name: str) -> str:
    score = row.points.get(name)
    return ("?" if score is None else number(score)) + ("*" if name in row.by_hand else "")


def notes_below(rows: Sequence[ClassRow], published_seed: bool = False) -> list[str]:
    """What explains the table, and what concerns the class and not one student."""
    notes = []
    if any(row.by_hand for row in rows):
        notes.append("* set by a person")
    if any(score is None for row in rows for score in row.points.values()):
        notes.append("? still to be graded by a person")
    if published_seed:
        notes.append("The seed is the published one: set c.ProctoredExecute.seed to a number of this term.")
    unprotected = [row for row in rows if any(flag.kind == "unsandboxed" for flag in row.flags)]
    if unprotected:
        what = f"WARNING: {len(unprotected)} graded without the whole sandbox"
        notes.append(f"{what}; `proctor doctor` says what is missing.")
    return notes


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    last = len(widths) - 1

    def line(row: Sequence[str]) -> str:
        cells = (words.plain(text).ljust(width) if column in (0, last) else text.rjust(width)
                 for column, (text, width) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        return "  ".join(cells).rstrip()

    return "\n".join([line(rows[0]), "  ".join("-" * width for width in widths[:-1]), *map(line, rows[1:])])
