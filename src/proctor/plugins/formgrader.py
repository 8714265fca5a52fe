"""Formgrader's pages: nothing of a student's is markup in them, and they fetch nothing from the network.

Set by `proctor.plugins.configure`. The page of a submission would fetch MathJax from elsewhere, which tells a stranger
who grades what and when, and fails where there is no network; nbgrader leaves the list of folders with templates for
it, and ours comes first. The same template brings our style: long given code shows its beginning, and colours can be
read. Ids and names stand in all pages, and nbgrader's templates do not escape them.
"""

import re
from html import escape
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import Preprocessor
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.coursedir import CourseDirectory

from proctor.render import words
from proctor.results import in_notebook

SHOWN = ("student", "last_name", "first_name", "assignment_id", "notebook_id", "notebook_path")
TEMPLATES = Path(__file__).parents[1] / "templates" / "formgrader"
NAME = re.compile(r"[\w-]+")  # of a cell; another would be Markdown
PICTURES = ("image/png", "image/jpeg")


def template_paths() -> list[str]:
    """Return the folders of formgrader's templates, after one with a MathJax macro that fetches nothing."""
    from nbgrader.server_extensions.formgrader import handlers

    stock = HTMLExporter(template_name="formgrade", extra_template_basedirs=[handlers.template_path])
    return [str(TEMPLATES), *stock.template_paths]


class EscapeNames(Preprocessor):
    """Escape what the page of a submission shows besides the notebook."""

    enabled = True

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Leave `nb` as it is, and `resources` where they are not formgrader's."""
        if "submission_id" in resources:
            for name in SHOWN:
                if isinstance(resources.get(name), str):
                    resources[name] = escape(resources[name])
        return nb, resources


class ShowResults(Preprocessor):
    """Begin the page of a submission with links to what is graded; show each result once, and pictures with a text.

    Only the page is changed: the notebook on disk keeps the points below each table, which nbgrader reads there.
    """

    enabled = True

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Change the copy of the graded notebook that is shown."""
        if "submission_id" not in resources or resources.get("results_shown"):
            return nb, resources
        resources["results_shown"] = True  # formgrader's server may have read the configuration twice
        for number, cell in enumerate(nb.cells, 1):
            if in_notebook.verdict_of(cell) is not None:
                cell.outputs = [output for output in cell.outputs if output.output_type != "execute_result"]
            for output in cell.get("outputs", []):
                for kind in PICTURES:
                    if kind in output.get("data", {}):
                        output.metadata = {kind: {"alt": f"Picture that cell {number} shows"}}
        first = new_markdown_cell(self._overview(nb, resources["submission_id"]))
        del first["id"]
        nb.cells.insert(0, first)
        return nb, resources

    def _overview(self, nb: Any, submission_id: str) -> str:
        """Write links to the graded cells, first those that wait for a person."""
        grades = self._grades(submission_id)
        lines: dict[bool, list[str]] = {True: [], False: []}
        for cell in nb.cells:
            metadata = cell.metadata.get("nbgrader", {})
            if not metadata.get("grade") and not metadata.get("task"):
                continue
            name = str(metadata["grade_id"])
            if not NAME.fullmatch(name):
                continue
            verdict = in_notebook.verdict_of(cell)
            score, waits = grades.get(name, (verdict.points if verdict else None, bool(verdict and verdict.undecided)))
            points = "no points yet"
            if score is not None:
                points = f"{words.number(score)} of {words.number(metadata['points'])}"
            lines[waits].append(f"[{name}](#{name}): {points}")
        waiting = f"**To look at:** {' · '.join(lines[True])}" if lines[True] else "Nothing waits for a person."
        return f"{waiting}\n\n{' · '.join(lines[False])}"

    def _grades(self, submission_id: str) -> dict[str, tuple[float | None, bool]]:
        """Return scores by cell, and whether they wait for a person; nothing of a notebook that the gradebook lacks."""
        course = CourseDirectory(parent=self.parent, config=self.config)
        try:
            with Gradebook(course.db_url, course.course_id) as book:
                grades = book.find_submission_notebook_by_id(submission_id).grades
                return {grade.name: (grade.score, bool(grade.needs_manual_grade)) for grade in grades}
        except MissingEntry:
            return {}


def escape_pages() -> None:
    """Have formgrader's other pages, its lists and tables, escape every value, and have our style.

    There is no setting for them. Its server runs the course's config before it shows a page; in any other process this
    changes nothing.
    """
    from nbgrader.server_extensions.formgrader.base import BaseHandler

    ours = "".join(
        f"<{tag}>{(TEMPLATES / name).read_text(encoding='utf-8')}</{tag}>"
        for tag, name in (("style", "page.css"), ("script", "page.js"))
    )

    def render(self: Any, name: str, **values: Any) -> str:
        environment = self.settings["nbgrader_jinja2_env"]
        if not environment.autoescape:
            environment.autoescape = True
            if environment.cache is not None:
                environment.cache.clear()
        page: str = environment.get_template(name).render(**values)
        return page.replace("</head>", f"{ours}</head>", 1)

    BaseHandler.render = render
