"""The page that a student gets back, made by ``nbgrader generate_feedback`` with `FeedbackExporter`.

It stands on its own (no scripts, nothing from the network) and shows the score, each item with what was asked and where
to look, what the instructor changed or wrote, and the student's notebook. Hidden tests never appear on it: of a test
cell it shows the visible checks. How it looks is in ``templates/feedback``.
"""

from pathlib import Path
from typing import Any

from markupsafe import Markup
from nbconvert.exporters.templateexporter import TemplateExporter
from nbgrader.api import Gradebook
from traitlets import Unicode, default

from proctor.feedback import sentences
from proctor.feedback.page import Known, make_page
from proctor.render.cell_outputs import with_code
from proctor.render.markdown import markdown
from proctor.render.words import MARKS, WORDS, number

TEMPLATES = Path(__file__).parents[1] / "templates"


class FeedbackExporter(TemplateExporter):
    """An nbconvert exporter with a template of its own, escaping by default: ``c.GenerateFeedback.exporter_class``."""

    questions = Unicode(
        "", help="What a student does with questions, in Markdown: it stands at the end of the page's first part."
    ).tag(config=True)
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
        environment.filters.update(note=sentences.note, time=sentences.time, late=sentences.late)
        environment.globals.update(MARKS=MARKS, WORDS=WORDS, questions=markdown(self.questions))
        return environment

    def _preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Run nbgrader's preprocessors, which fetch the scores and comments, then make the page of what they leave."""
        nb, resources = super()._preprocess(nb, resources)  # type: ignore[no-untyped-call]
        resources["page"] = make_page(nb, resources["nbgrader"], _known(resources["nbgrader"]))
        return nb, resources


def _known(metadata: Any) -> Known:
    """Ask the gradebook; without one, nothing is known."""
    if "db_url" not in metadata:
        return Known()
    with Gradebook(metadata["db_url"]) as book:
        notebook = book.find_submission_notebook(metadata["notebook"], metadata["assignment"], metadata["student"])
        student, submission = notebook.student, notebook.assignment
        name = " ".join(part for part in (student.first_name, student.last_name) if part)
        ungraded = frozenset(grade.name for grade in notebook.grades if grade.needs_manual_grade)
        return Known(name, submission.timestamp, ungraded)
