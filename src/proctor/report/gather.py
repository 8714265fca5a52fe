"""One row a student, one a hidden test, one a message: all that the report shows, as plain data.

Scores are the gradebook's, so a person's override counts; what single tests found is the graded notebooks'.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

from proctor.course.folders import Course
from proctor.course.hand_in import refusal
from proctor.records import graded as folders
from proctor.records.gradebook import HandIn, Records, Student, read
from proctor.records.graded import Changed, Feedback, Shared
from proctor.render import words
from proctor.report.statistics import discrimination
from proctor.results import collected
from proctor.results.flag import Flag
from proctor.results.verdict import Item

Status = Literal["graded", "to review", "to grade", "cannot be graded", "not handed in"]
TestName = tuple[str, str]
LATE_ENOUGH = timedelta(seconds=1)


@dataclass
class Row:
    """One student. `points` by exercise and `total` are None where nothing has been graded; `late` in full seconds.

    `handed_in` is in UTC; `attempts` is 0 where nbgrader's exchange is not used.
    """

    student: Student
    status: Status
    why: str = ""
    points: dict[str, float | None] = field(default_factory=dict)
    by_hand: frozenset[str] = frozenset()
    total: float | None = None
    penalty: float = 0.0
    late: timedelta = timedelta(0)
    handed_in: datetime | None = None
    attempts: int = 0
    changed: Changed = ""
    feedback: Feedback = ""
    page: Path | None = None
    flags: tuple[Flag, ...] = ()
    items: dict[TestName, Item] = field(default_factory=dict)

    @property
    def wrong(self) -> dict[tuple[str, str], int]:
        """What the student was told, by exercise and message, and how many items it was about."""
        told = [(test[0], words.message(item)) for test, item in self.items.items() if item.outcome != "passed"]
        return dict(Counter(told))


@dataclass(frozen=True)
class HiddenTest:
    """One hidden test over the class. `rate` is the share of decided results that passed."""

    exercise: str
    name: str
    asked: str
    max_points: float
    passed: int
    failed: int
    undecided: int
    discrimination: float | None

    @property
    def rate(self) -> float | None:
        """From 0 to 1; None if nothing has been decided."""
        return self.passed / self.decided if self.decided else None

    @property
    def decided(self) -> int:
        """How many students passed or failed it."""
        return self.passed + self.failed


@dataclass(frozen=True)
class Message:
    """A hint, to how many students it was given, and by which tests of an exercise."""

    students: int
    exercise: str
    text: str
    tests: tuple[str, ...]


@dataclass
class ClassReport:
    """Everything about one assignment of one class."""

    assignment: str
    made: datetime
    exercises: dict[str, float]
    duedate: datetime | None
    rows: list[Row]
    tests: list[HiddenTest]
    messages: list[Message]
    notices: list[str]

    @property
    def max_score(self) -> float:
        """Points that can be had."""
        return sum(self.exercises.values())

    @property
    def graded(self) -> list[Row]:
        """Everybody with points."""
        return [row for row in self.rows if row.total is not None]

    def with_status(self, *statuses: Status) -> list[Row]:
        """Everybody with one of `statuses`."""
        return [row for row in self.rows if row.status in statuses]


def gather(course: Course, assignment: str) -> ClassReport:
    """Read everything about `assignment`; changes nothing. Raises `CourseError` for an unknown one."""
    assignment = course.choose(assignment)
    records = read(course, assignment)
    handed_in = set(course.students(assignment))
    everybody = handed_in | set(records.students) | set(records.submissions)
    shared = Shared(course, assignment)
    rows = [_row(course, assignment, student, records, student in handed_in, shared) for student in everybody]
    attempts = folders.attempts(course, assignment)
    marked = {student for student, one in collected.read(course.state, assignment).items() if one.late}
    for row in rows:
        row.attempts = attempts[row.student.id]
        timestamp = records.submissions.get(row.student.id, HandIn(None, None)).timestamp
        if row.student.id in marked and timestamp is None:
            row.flags = (Flag("late unknown"), *row.flags)
    rows.sort(key=lambda row: (row.student.name.casefold() or row.student.id.casefold(), row.student.id))
    exercises = records.exercises or _from_items(rows)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    tests, messages = _tests(rows), _messages(rows)
    return ClassReport(assignment, now, exercises, records.duedate, rows, tests, messages, _notices(rows, records))


def _row(course: Course, assignment: str, student: str, records: Records, handed_in: bool, shared: Shared) -> Row:
    submission = records.submissions.get(student, HandIn(None, None))
    row = Row(records.students.get(student, Student(student)), "not handed in")
    if submission.graded:
        row.points = {name: grade.score for name, grade in submission.grades.items()}
        row.by_hand = frozenset(name for name, grade in submission.grades.items() if grade.by_hand)
        row.total, row.penalty = submission.score, submission.penalty
    row.handed_in = submission.timestamp
    row.late = submission.late if submission.late >= LATE_ENOUGH else timedelta(0)
    try:
        _look_at_files(row, course, assignment, submission, handed_in, shared)
    except Exception as error:  # noqa: BLE001 - files may be anything: they cost their own row, and no other
        row.status = "to review" if submission.graded else "cannot be graded"
        row.why = f"its files cannot be read ({type(error).__name__})"
    return row


def _look_at_files(
    row: Row, course: Course, assignment: str, submission: HandIn, handed_in: bool, shared: Shared
) -> None:
    student = row.student.id
    found = folders.items(course, assignment, student)
    if found is not None:
        row.flags = found.flags
        row.items = {(cell.grade_id, item.name): item for cell in found.cells for item in cell.items}
    _set_status(row, course, assignment, submission, handed_in)
    if row.status in ("graded", "to review") and handed_in:
        row.changed = folders.changed(course, assignment, student, shared)
        if row.changed == "submission":
            row.status, row.why = "to grade", "handed in again since it was graded"
    if row.status == "graded":
        row.feedback, row.page = folders.feedback(course, assignment, student, row.total or 0.0)


def _set_status(row: Row, course: Course, assignment: str, submission: HandIn, handed_in: bool) -> None:
    student = row.student.id
    on_disk = any(course.folder("autograded", student, assignment).glob("*.ipynb"))
    if not handed_in and not submission.graded:
        return
    if not handed_in:
        row.status, row.why = "graded", "its files are no longer in submitted/"
    elif not submission.graded or not on_disk:
        reason = refusal(course, assignment, student)
        row.status, row.why = ("cannot be graded", reason) if reason else ("to grade", "new")
        if row.total is not None and not reason:
            row.why = "its graded notebook is gone"
    else:
        row.status = "graded"
    if row.status == "graded" and submission.needs_review:
        waiting = [name for name, grade in submission.grades.items() if grade.needs_review]
        row.status, row.why = "to review", ", ".join(waiting)


def _tests(rows: Iterable[Row]) -> list[HiddenTest]:
    results: dict[TestName, list[tuple[Item, float]]] = defaultdict(list)
    for row in rows:
        total = sum(item.points for item in row.items.values())
        for name, item in row.items.items():
            results[name].append((item, total - item.points))
    return [_test(name, found) for name, found in results.items()]


def _test(name: TestName, found: Sequence[tuple[Item, float]]) -> HiddenTest:
    outcomes = Counter(item.outcome for item, _ in found)
    decided = [(item.outcome == "passed", rest) for item, rest in found if item.outcome != "undecided"]
    value = discrimination([passed for passed, _ in decided], [rest for _, rest in decided])
    item = found[-1][0]
    counts = (outcomes["passed"], outcomes["failed"], outcomes["undecided"])
    return HiddenTest(name[0], name[1], item.asked, item.max_points, *counts, value)


def _messages(rows: Iterable[Row]) -> list[Message]:
    """Count students, not items: one mistake often fails several tests of an exercise with the same words."""
    given: dict[tuple[str, str], set[str]] = defaultdict(set)
    tests: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for row in rows:
        for (exercise, name), item in row.items.items():
            message = words.message(item)
            if message and item.outcome != "passed":
                given[exercise, message].add(row.student.id)
                tests[exercise, message][name] = None
    messages = [Message(len(students), *key, tuple(tests[key])) for key, students in given.items()]
    return sorted(messages, key=lambda message: (-message.students, message.exercise, message.text))


def _from_items(rows: Iterable[Row]) -> dict[str, float]:
    """Points of each exercise where there is no gradebook: from what the tests found."""
    points: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        for (exercise, name), item in row.items.items():
            points[exercise][name] = item.max_points
    return {exercise: sum(items.values()) for exercise, items in points.items()}


def _notices(rows: Sequence[Row], records: Records) -> list[str]:
    notices = []
    outdated = sum(row.changed == "tests" for row in rows)
    if outdated:
        notices.append(
            f"Hidden tests, source notebook, settings or engine have changed since {outdated} of {len(rows)} students "
            "were graded: their points are from before. Run proctor grade to grade them again."
        )
    if len({frozenset(row.items) for row in rows if row.items}) > 1:
        notices.append("Not everybody was graded with the same hidden tests: compare points with care.")
    if not any(row.total is not None for row in rows):
        notices.append("There are no grades yet. Run proctor grade.")
    names = Counter(row.student.name.casefold() for row in rows if row.student.name)
    if any(count > 1 for count in names.values()):
        notices.append("Some students have the same name: go by the id.")
    if records.duedate is None and records.exercises:
        notices.append("The assignment has no due date in the gradebook, so nobody counts as late.")
    return notices
