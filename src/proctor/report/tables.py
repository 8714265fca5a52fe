"""The report as CSV files: a line for each student, each hidden test, each message."""

from collections.abc import Sequence

from proctor.render import words
from proctor.render.spreadsheet import Value, to_csv
from proctor.report.gather import ClassReport, HiddenTest, Row
from proctor.report.statistics import in_words, interval


def students(report: ClassReport) -> str:
    """One line a student: points by exercise, then a column for each hidden test (1, 0, or ``?`` for undecided)."""
    tests = [(test.exercise, test.name) for test in report.tests]
    head = ["student_id", "last_name", "first_name", "email", "status", "why"]
    head += [f"{name} ({points:g})" for name, points in report.exercises.items()]
    head += [
        "late_penalty",
        f"total ({report.max_score:g})",
        "hours_late",
        "handed_in",
        "attempts",
        "by_hand",
        "feedback",
        "flags",
    ]
    head += [f"{exercise}: {name}" for exercise, name in tests]
    return to_csv(head, (_student(row, report, tests) for row in report.rows))


def _student(row: Row, report: ClassReport, tests: Sequence[tuple[str, str]]) -> list[Value]:
    who = row.student
    marks: dict[str, Value] = {"passed": 1, "failed": 0, "undecided": "?"}
    points: list[Value] = [row.points.get(name) for name in report.exercises]
    hours = round(row.late.total_seconds() / 3600, 2)
    when = row.handed_in.isoformat(" ", "seconds") if row.handed_in else None
    rest: list[Value] = [
        row.penalty,
        row.total,
        hours,
        when,
        row.attempts or None,
        "; ".join(sorted(row.by_hand)),
        row.feedback,
    ]
    results: list[Value] = [marks[row.items[test].outcome] if test in row.items else None for test in tests]
    known: list[Value] = [who.id, who.last_name, who.first_name, who.email, row.status, row.why]
    return [*known, *points, *rest, "; ".join(map(words.flag, row.flags)), *results]


def tests(report: ClassReport) -> str:
    """One line a hidden test."""
    head = ["exercise", "test", "asked", "points", "passed", "failed", "undecided"]
    head += ["pass_rate", "discrimination", "from", "to", "in_words"]
    return to_csv(head, map(_test, report.tests))


def _test(test: HiddenTest) -> list[Value]:
    counts = (test.passed, test.failed, test.undecided)
    between = interval(test.discrimination, test.decided) or (None, None)
    measures = (test.rate, test.discrimination, *between, in_words(test.discrimination, test.decided))
    return [test.exercise, test.name, test.asked, test.max_points, *counts, *measures]


def messages(report: ClassReport) -> str:
    """One line a hint that students were given."""
    rows: list[list[Value]] = [
        [message.students, message.exercise, message.text, "; ".join(message.tests)] for message in report.messages
    ]
    return to_csv(["students", "exercise", "message", "tests"], rows)
