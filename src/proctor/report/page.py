"""The report as one HTML page that needs nothing else: styles, pictures and a few lines of script are inside."""

import base64
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from proctor.render import words
from proctor.render.cell_outputs import with_code
from proctor.render.words import number
from proctor.report.gather import ClassReport
from proctor.report.statistics import in_words, interval, summary

TEMPLATES = Path(__file__).parents[1] / "templates"


def page(report: ClassReport, pictures: Mapping[str, bytes], folder: Path) -> str:
    """Return the page of `report`, to be written into `folder` (links to feedback pages start there)."""
    loader = FileSystemLoader([TEMPLATES / "report", TEMPLATES / "shared"])
    environment = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(
        number=number, late=late, flag=words.flag, with_code=lambda text: Markup(with_code(text))  # noqa: S704 - it escapes
    )  # fmt: skip
    totals = [row.total for row in report.graded if row.total is not None]
    return environment.get_template("index.html.j2").render(
        report=report,
        summary=summary(totals),
        pictures={name: base64.b64encode(data).decode() for name, data in pictures.items()},
        link=lambda path: quote(os.path.relpath(path, folder)),
        in_words=in_words,
        interval=interval,
        style=_style(),
        script=Markup((TEMPLATES / "report" / "report.js").read_text(encoding="utf-8")),  # noqa: S704 - ours
    )


def _style() -> Markup:
    files = (TEMPLATES / "shared" / "base.css", TEMPLATES / "report" / "report.css")
    return Markup("".join(path.read_text(encoding="utf-8") for path in files))  # noqa: S704 - ours


def late(time: timedelta) -> str:
    """Write a time as people do: ``40 min``, ``5 h``, ``3 d 2 h``."""
    minutes = int(time.total_seconds() // 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    return f"{hours} h" if hours else f"{max(minutes, 1)} min"
