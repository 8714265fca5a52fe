"""Formgrader without the network or long given code: ``c.HTMLExporter.template_paths`` in ``nbgrader_config.py``.

The page of a submission would fetch MathJax from elsewhere, which tells a stranger who grades what and when, and fails
where there is no network. nbgrader leaves no setting for it but the list of folders with templates: ours comes first.
The same template shows only the beginning of long given code: helpers of checks would fill two screens each time.
"""

from pathlib import Path


def template_paths() -> list[str]:
    """Return the folders of formgrader's templates, after one with a MathJax macro that fetches nothing."""
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions.formgrader import handlers

    stock = HTMLExporter(template_name="formgrade", extra_template_basedirs=[handlers.template_path])
    return [str(Path(__file__).parents[1] / "templates" / "formgrader"), *stock.template_paths]
