"""The page of a submission as formgrader shows it to whoever grades."""

from typing import Any

from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader.handlers import template_path
from traitlets.config import Config


def formgrader(nb: Any, part: str = 'id="notebook-container"', **settings: Any) -> str:
    """The page, from nbgrader's own template; only from `part` on. `settings` are the exporter's."""
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [template_path]
    config.Exporter.default_preprocessors = []
    config.HTMLExporter.update(settings)
    resources = {"base_url": "", "submission_id": "s", "notebook_id": "n", "assignment_id": "a", "index": 0, "total": 1}
    page: str = HTMLExporter(config=config).from_notebook_node(nb, resources)[0]
    return page[page.index(part) :]
