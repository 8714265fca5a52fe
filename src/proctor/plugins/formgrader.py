"""Formgrader's pages: nothing of a student's is markup in them, and they fetch nothing from the network.

Set by `proctor.plugins.configure`. The page of a submission would fetch MathJax from elsewhere, which tells a stranger
who grades what and when, and fails where there is no network; nbgrader leaves the list of folders with templates for
it, and ours comes first. The same template shows only the beginning of long given code: helpers of checks would fill
two screens each time. Ids and names stand in all pages, and nbgrader's templates do not escape them.
"""

from html import escape
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import Preprocessor

SHOWN = ("student", "last_name", "first_name", "assignment_id", "notebook_id", "notebook_path")


def template_paths() -> list[str]:
    """Return the folders of formgrader's templates, after one with a MathJax macro that fetches nothing."""
    from nbgrader.server_extensions.formgrader import handlers

    stock = HTMLExporter(template_name="formgrade", extra_template_basedirs=[handlers.template_path])
    return [str(Path(__file__).parents[1] / "templates" / "formgrader"), *stock.template_paths]


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


def escape_pages() -> None:
    """Have formgrader's other pages, its lists and tables, escape every value: there is no setting for them.

    Its server runs the course's config before it shows a page; in any other process this changes nothing.
    """
    from nbgrader.server_extensions.formgrader.base import BaseHandler

    def render(self: Any, name: str, **values: Any) -> str:
        environment = self.settings["nbgrader_jinja2_env"]
        if not environment.autoescape:
            environment.autoescape = True
            if environment.cache is not None:
                environment.cache.clear()
        page: str = environment.get_template(name).render(**values)
        return page

    BaseHandler.render = render
