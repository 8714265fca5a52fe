"""Plug-ins for ``nbgrader export``: scores by exercise and test, and the grade files of two learning platforms.

::

    nbgrader export --exporter=proctor.ExerciseExport --to=grades.csv
    nbgrader export --exporter=proctor.CanvasExport --to=canvas.csv --assignment=custom_training_basics
    nbgrader export --exporter=proctor.MoodleExport --to=moodle.csv --assignment=custom_training_basics

Scores are the gradebook's: a person's override counts, and the late penalty is taken off. The files can be opened in a
spreadsheet: no name or id runs there as a formula (see `proctor.render.spreadsheet`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nbgrader.plugins import ExportPlugin
from traitlets import Dict, Enum, Unicode

from proctor.course.folders import Course
from proctor.records import graded as folders
from proctor.records.gradebook import HandIn, Records, Student, read_from
from proctor.render.spreadsheet import Value, safe, to_csv
from proctor.render.words import number
from proctor.results.submission_result import SubmissionResult


class _Export(ExportPlugin):  # type: ignore[misc]
    """What the exporters share: which students and assignments are asked for, and writing the file."""

    filename = "grades.csv"

    def export(self, gradebook: Any) -> None:
        """Write the file; nbgrader calls this with its open gradebook."""
        names = [str(assignment.name) for assignment in gradebook.assignments]
        wanted = [str(name) for name in self.assignment] or names
        for unknown in sorted(set(wanted) - set(names)):
            self.log.error("There is no assignment %r in the gradebook; there are: %s", unknown, ", ".join(names))
        chosen = {name: read_from(gradebook.db, self.course, name) for name in names if name in wanted}
        for name, records in chosen.items():
            self._look_at(name, records)
        path = Path(self.to or self.filename)
        path.write_text(self.table(chosen), encoding="utf-8", newline="")
        self.log.info("Exported %s to %s", ", ".join(chosen) or "nothing", path)

    def _look_at(self, name: str, records: Records) -> None:
        """Warn of scores that are not there, or not what they would be today."""
        graded = {student for student, submission in records.submissions.items() if submission.graded}
        if not graded:
            self.log.warning("%s has no grades yet: run proctor grade.", name)
            return
        handed_in, shared = set(self.course.students(name)), folders.Shared(self.course, name)
        new, old = handed_in - graded, handed_in & graded
        old = {student for student in old if folders.changed(self.course, name, student, shared)}
        if new or old:
            self.log.warning(
                "%s: %d submissions are not graded yet, and %d have changed since, or their tests or settings have: "
                "run proctor grade.", name, len(new), len(old)
            )  # fmt: skip

    @property
    def course(self) -> Course:
        """The course that nbgrader is working on."""
        return Course(Path(self.parent.coursedir.root), self.parent.config)

    def students(self, chosen: dict[str, Records]) -> Iterator[Student]:
        """Everybody who is asked for, sorted by name and id."""
        found = {student.id: student for records in chosen.values() for student in records.students.values()}
        wanted = {str(student) for student in self.student} or set(found)
        for student in sorted(found.values(), key=lambda who: (who.name.casefold(), who.id)):
            if student.id in wanted:
                if safe(student.id) != student.id:
                    self.log.warning("The id %r begins like a formula: an apostrophe is put before it.", student.id)
                yield student

    def table(self, chosen: dict[str, Records]) -> str:
        """Return the text of the file for the `chosen` assignments."""
        raise NotImplementedError


class ExerciseExport(_Export):
    """nbgrader's own columns, then one for each exercise and one for each hidden test, in points.

    A hidden test that nobody has decided yet is ``?``. Without a submission the score is 0, as in nbgrader's export.
    """

    def table(self, chosen: dict[str, Records]) -> str:
        """One line for each assignment and student."""
        students = list(self.students(chosen))
        found = {(name, who.id): folders.items(self.course, name, who.id) for name in chosen for who in students}
        exercises = [(name, exercise) for name, records in chosen.items() for exercise in records.exercises]
        tests = _tests(found)
        several = len(chosen) > 1
        head = ["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score"]
        head += ["late_submission_penalty", "score", "max_score", "needs_manual_grade"]
        head += [_title(several, *exercise) for exercise in exercises]
        head += [_title(several, name, f"{exercise}: {test}") for name, exercise, test in tests]
        rows = [
            [
                *_known(name, records, who),
                *_points(name, records, who, exercises),
                *_items(name, found[name, who.id], tests),
            ]
            for name, records in chosen.items()
            for who in students
        ]
        return to_csv(head, rows)


def _tests(found: dict[tuple[str, str], SubmissionResult | None]) -> list[tuple[str, str, str]]:
    tests: dict[tuple[str, str, str], None] = {}
    for (assignment, _), outcome in found.items():
        for cell in outcome.cells if outcome else ():
            tests.update(dict.fromkeys((assignment, cell.grade_id, item.name) for item in cell.items))
    return list(tests)


def _title(several: bool, assignment: str, name: str) -> str:
    return f"{assignment}: {name}" if several else name


def _known(assignment: str, records: Records, who: Student) -> list[Value]:
    submission = records.submissions.get(who.id, HandIn(None, records.duedate))
    raw = sum(grade.score or 0.0 for grade in submission.grades.values())
    due, at = (str(time) if time else "" for time in (records.duedate, submission.timestamp))
    scores = [raw, submission.penalty, submission.score, records.max_score, int(submission.needs_review)]
    return [assignment, due, at, who.id, who.last_name, who.first_name, who.email, *scores]


def _points(assignment: str, records: Records, who: Student, exercises: Sequence[tuple[str, str]]) -> list[Value]:
    submission = records.submissions.get(who.id, HandIn(None, None))
    grades = {(assignment, name): grade.score for name, grade in submission.grades.items()}
    return [grades.get(exercise) for exercise in exercises]


def _items(assignment: str, outcome: SubmissionResult | None, tests: Sequence[tuple[str, str, str]]) -> list[Value]:
    points: dict[tuple[str, str, str], Value] = {
        (assignment, cell.grade_id, item.name): "?" if item.outcome == "undecided" else item.points
        for cell in (outcome.cells if outcome else ())
        for item in cell.items
    }
    return [points.get(test) for test in tests]


class _PlatformExport(_Export):
    """A file for a learning platform: only students with a score, so that an import cannot wipe another's."""

    titles = Dict(Unicode(), help="The platform's name of an assignment, by nbgrader's name.").tag(config=True)
    login = Enum(
        ["id", "email", "number"], "id", help="What a student's login is; or nbgrader's ids are the platform's numbers."
    ).tag(config=True)
    missing = Unicode("", help="Score of who has not handed in; empty: leave them out.").tag(config=True)

    def title(self, assignment: str) -> str:
        """Name of an assignment on the platform."""
        return str(self.titles.get(assignment, assignment))

    def login_of(self, who: Student) -> str:
        """Return what the platform knows a student by."""
        return {"id": who.id, "email": who.email, "number": ""}[self.login]

    def number_of(self, who: Student) -> str:
        """Return the platform's number of a student."""
        return who.lms_user_id or (who.id if self.login == "number" else "")

    def scored(self, chosen: dict[str, Records]) -> Iterator[tuple[Student, dict[str, HandIn]]]:
        """Everybody with a score, or with `missing`, and their graded submissions."""
        waiting = 0
        for who in self.students(chosen):
            found = {name: records.submissions.get(who.id) for name, records in chosen.items()}
            graded = {name: submission for name, submission in found.items() if submission and submission.graded}
            waiting += sum(submission.needs_review for submission in graded.values())
            if graded or self.missing:
                yield who, graded
        if waiting:
            self.log.warning("%d submissions still wait for a person: their scores are not final.", waiting)

    def score(self, submission: HandIn | None) -> Value:
        """Return the score to write."""
        return round(submission.score, 2) if submission else self.missing


class CanvasExport(_PlatformExport):
    """Canvas' gradebook file (*Grades, Import*).

    Canvas reads the columns Student, ID, SIS User ID, SIS Login ID and Section in this order, then assignments, and a
    row "Points Possible" below the heads. It looks for a student by ID (nbgrader's ``lms_user_id``), then by the SIS
    ids, then by the name. An assignment is found by its title, or for sure with Canvas' number behind it:
    ``c.CanvasExport.titles = {"custom_training_basics": "Custom training basics (4711)"}``. An empty cell would delete
    a score that is there, so export one assignment at a time.
    """

    filename = "canvas.csv"

    def table(self, chosen: dict[str, Records]) -> str:
        """One line a student."""
        head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(self.title(name) for name in chosen)]
        rows: list[list[Value]] = [
            ["    Points Possible", *[""] * 4, *(records.max_score for records in chosen.values())]
        ]
        for who, graded in self.scored(chosen):
            known: list[Value] = [who.name or who.id, self.number_of(who), "", self.login_of(who), ""]
            rows.append([*known, *(self.score(graded.get(name)) for name in chosen)])
        return to_csv(head, rows, bom=False)


class MoodleExport(_PlatformExport):
    """Moodle's grade file (*Grades, Import, CSV file*; separator comma, encoding UTF-8).

    On Moodle's page, map one column to identify students (Username to "Username", or ID number or Email address, which
    Moodle compares with capital letters and all), the assignment's column to its grade item, and "… feedback" to
    "Feedbacks for" it. Moodle loses the grades when only the feedback is mapped.
    """

    filename = "moodle.csv"

    def table(self, chosen: dict[str, Records]) -> str:
        """One line a student."""
        head = ["Username", "ID number", "Email address", "First name", "Last name"]
        for name in chosen:
            head += [self.title(name), f"{self.title(name)} feedback"]
        rows: list[list[Value]] = []
        for who, graded in self.scored(chosen):
            row: list[Value] = [self.login_of(who), self.number_of(who), who.email, who.first_name, who.last_name]
            for name, records in chosen.items():
                row += [self.score(graded.get(name)), _in_words(graded.get(name), records)]
            rows.append(row)
        return to_csv(head, rows, bom=False)


def _in_words(submission: HandIn | None, records: Records) -> str:
    """Points by exercise as a sentence: the feedback page says the rest."""
    if submission is None:
        return ""
    points = [
        f"{name.removeprefix('test_')} {number(grade.score or 0.0)} of {number(records.exercises.get(name, 0.0))}"
        for name, grade in submission.grades.items()
    ]
    late = [f"late penalty {number(submission.penalty)}"] if submission.penalty else []
    return "; ".join(points + late)
