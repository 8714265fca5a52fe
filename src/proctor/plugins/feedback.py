"""The page that a student gets back, made by ``nbgrader generate_feedback`` with `FeedbackExporter`.

It stands on its own (no scripts, nothing from the network) and shows the score, each item with what was asked and where
to look, what the instructor changed or wrote, and the student's notebook. Hidden tests never appear on it: of a test
cell it shows the visible checks. How it looks is in ``templates/feedback``.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup
from nbconvert.exporters.templateexporter import TemplateExporter
from nbgrader.api import Gradebook
from traitlets import default

from proctor.plugins.shown_cell import Budget, Shown, show
from proctor.render import words
from proctor.render.cell_outputs import with_code
from proctor.render.markdown import markdown
from proctor.render.words import MARKS, WORDS, number
from proctor.results import in_notebook
from proctor.results.flag import Flag
from proctor.results.verdict import CellVerdict

TEMPLATES = Path(__file__).parents[1] / "templates"
UNTOUCHED = "No response."  # nbgrader's own comment on an unchanged cell: the items say more
HEADING = re.compile(r"^#{2,3} +(.+?)(?: *\([\d.]+ points?\))? *#*$", re.MULTILINE)


@dataclass
class Exercise:
    """The graded cell `number`: `score` is the gradebook's, `verdict` what hidden tests of ours found, if it has any.

    `tested`: by tests, not by a person. `ungraded`: the gradebook still waits for a person.
    """

    title: str
    number: int
    score: float
    max_points: float
    verdict: CellVerdict | None = None
    tested: bool = False
    ungraded: bool = False
    comments: list[Markup] = field(default_factory=list)

    @property
    def changed_by_hand(self) -> bool:
        """True if a person gave another score than the tests."""
        return self.verdict is not None and abs(self.score - self.verdict.points) > 1e-9

    @property
    def passed(self) -> int:
        """How many of the items were passed."""
        return sum(item.outcome == "passed" for item in self.verdict.items) if self.verdict else 0

    @property
    def flags(self) -> list[Flag]:
        """What happened to the cells on the way; what happened in a test stands with its item."""
        flags = self.verdict.flags if self.verdict else ()
        return [flag for flag in dict.fromkeys(flags) if not flag.in_hidden_test]

    @property
    def waits(self) -> bool:
        """True if a person still has to look."""
        undecided = self.verdict is not None and self.verdict.undecided and not self.changed_by_hand
        return undecided or self.ungraded


@dataclass
class Page:
    """All that the template needs. Cells have numbers from 1 on; `numbers` has them by the names that flags use."""

    title: str
    student: str
    score: float
    max_score: float
    late_penalty: float
    exercises: list[Exercise] = field(default_factory=list)
    cells: list[Shown] = field(default_factory=list)
    by_number: dict[int, Exercise] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def waits(self) -> bool:
        """True if the score is not final."""
        return any(exercise.waits for exercise in self.exercises)

    @property
    def undecided(self) -> bool:
        """True if that is because something could not be checked."""
        return any(exercise.waits and exercise.tested for exercise in self.exercises)


class FeedbackExporter(TemplateExporter):
    """An nbconvert exporter with a template of its own, escaping by default: ``c.GenerateFeedback.exporter_class``."""

    output_mimetype = "text/html"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    @default("template_name")
    def _template_name_default(self) -> str:
        return "feedback"

    @default("extra_template_basedirs")
    def _extra_template_basedirs_default(self) -> list[str]:
        return [str(TEMPLATES)]

    @default("extra_template_paths")
    def _extra_template_paths_default(self) -> list[str]:
        return [str(TEMPLATES / "shared")]

    def _create_environment(self) -> Any:
        environment: Any = super()._create_environment()  # type: ignore[no-untyped-call]
        environment.autoescape = True
        environment.filters["number"] = number
        environment.filters["with_code"] = lambda text: Markup(with_code(text))  # noqa: S704 - it escapes
        environment.filters.update(messages=words.messages, flag=words.flag)
        environment.globals.update(MARKS=MARKS, WORDS=WORDS)
        return environment

    def _preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Run nbgrader's preprocessors, which fetch the scores and comments, then make the page of what they leave."""
        nb, resources = super()._preprocess(nb, resources)  # type: ignore[no-untyped-call]
        resources["page"] = make_page(nb, resources["nbgrader"], _ungraded(resources["nbgrader"]))
        return nb, resources


def _ungraded(metadata: Any) -> frozenset[str]:
    """The cells of a submitted notebook that wait for a person, as the gradebook knows; none without a gradebook."""
    if "db_url" not in metadata:
        return frozenset()
    with Gradebook(metadata["db_url"]) as book:
        names = (metadata["notebook"], metadata["assignment"], metadata["student"])
        return frozenset(
            grade.name for grade in book.find_submission_notebook(*names).grades if grade.needs_manual_grade
        )


def make_page(nb: Any, metadata: Any, ungraded: Collection[str] = ()) -> Page:
    """Make the page of a notebook in which nbgrader's GetGrades has noted scores and comments.

    `metadata` is what nbgrader's converters know of it: ``resources["nbgrader"]``. A person has to grade `ungraded`.
    """
    page = Page(
        str(metadata["notebook"]).replace("_", " "),
        metadata["student"],
        float(metadata["score"]),
        float(metadata["max_score"]),
        float(metadata["late_penalty"]),
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
            page.by_number[place].ungraded = mine["grade_id"] in ungraded
            page.exercises.append(page.by_number[place])
            comments = []
    if comments and page.exercises:
        page.exercises[-1].comments += comments
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
