"""One page of feedback: what its template needs, made of a notebook in which nbgrader has noted scores and comments.

Made for `proctor.plugins.feedback`, which knows the gradebook.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup

from proctor.dates.lateness import Lateness
from proctor.feedback import sentences
from proctor.feedback.cell import Budget, Shown, show
from proctor.feedback.exercise import Exercise, say_once
from proctor.render.markdown import markdown
from proctor.results import in_notebook
from proctor.results.flag import Flag

UNTOUCHED = "No response."  # nbgrader's own comment on an unchanged cell: the items say more
HEADING = re.compile(r"^#{2,3} +(.+?)(?: *\([\d.]+ points?\))? *#*$", re.MULTILINE)


@dataclass(frozen=True)
class Known:
    """What the gradebook knows of a submission: the student's name, when it was handed in (UTC), what nobody graded."""

    name: str = ""
    handed_in: datetime | None = None
    ungraded: frozenset[str] = frozenset()


@dataclass
class Page:
    """All that the template needs. Cells have numbers from 1 on; `numbers` has them by the names that flags use.

    `notes` are about the notebook as a whole.
    """

    title: str
    student: str
    known: Known
    score: float
    max_score: float
    late_penalty: float
    lateness: Lateness | None = None
    exercises: list[Exercise] = field(default_factory=list)
    cells: list[Shown] = field(default_factory=list)
    by_number: dict[int, Exercise] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    notes: list[Flag] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """True if there is nothing left to earn."""
        return not self.waits and self.score >= self.max_score > 0

    @property
    def waits(self) -> bool:
        """True if the score is not final."""
        return any(exercise.waits for exercise in self.exercises)

    @property
    def undecided(self) -> bool:
        """True if that is because something could not be checked."""
        return any(exercise.waits and exercise.tested for exercise in self.exercises)


def make_page(nb: Any, metadata: Any, known: Known | None = None) -> Page:
    """Make the page of a notebook in which nbgrader's GetGrades has noted scores and comments.

    `metadata` is what nbgrader's converters know of it: ``resources["nbgrader"]``.
    """
    page = Page(
        str(metadata["notebook"]).replace("_", " "),
        metadata["student"],
        known or Known(),
        float(metadata["score"]),
        float(metadata["max_score"]),
        float(metadata["late_penalty"]),
        in_notebook.lateness_of(nb.metadata),
    )
    budget = Budget()
    heading, comments = "", []
    for place, cell in enumerate(nb.cells, 1):
        heading = _heading(cell) or heading
        mine = cell.metadata.get("nbgrader", {})
        page.numbers[str(mine.get("grade_id") or place)] = place
        if mine.get("comment") and mine["comment"] != UNTOUCHED:
            comments.append(markdown(mine["comment"]))
        page.cells.append(show(cell, budget))
        if "score" in mine:
            page.by_number[place] = _exercise(cell, heading, place, comments)
            page.by_number[place].ungraded = mine["grade_id"] in page.known.ungraded
            page.exercises.append(page.by_number[place])
            comments = []
    if comments and page.exercises:
        page.exercises[-1].comments += comments
    say_once(page.exercises)
    page.notes = [flag for flag in in_notebook.flags_of(nb.metadata) if sentences.note(flag)]
    return page


def _heading(cell: Any) -> str:
    """Return the title of a locked Markdown cell: the name of the exercises that follow it."""
    if cell.cell_type != "markdown" or not cell.metadata.get("nbgrader", {}).get("locked"):
        return ""
    found = HEADING.search(cell.source)
    return found[1] if found else ""


def _exercise(cell: Any, heading: str, place: int, comments: list[Markup]) -> Exercise:
    metadata = cell.metadata["nbgrader"]
    title = heading or str(metadata["grade_id"]).removeprefix("test_").replace("_", " ")
    tested = cell.cell_type == "code" and not metadata.get("solution") and not metadata.get("task")
    return Exercise(
        title, place, float(metadata["score"] or 0), float(metadata["points"]),
        in_notebook.verdict_of(cell) if tested else None, tested, comments=comments,
    )  # fmt: skip
