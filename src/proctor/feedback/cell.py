"""One cell of a student's notebook on the feedback page: its source and outputs, harmless, bounded, nothing hidden.

Called by `proctor.feedback.page`, cell by cell.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from nbconvert.filters.ansi import ansi2html

from proctor.hidden_tests.run_line import split
from proctor.render.highlight import highlighted
from proctor.render.markdown import PICTURE, markdown
from proctor.results import in_notebook

# What one page may hold, in characters of HTML: it stays under 1 MB whatever a notebook wrote.
ROOM = {"source": 200_000, "output": 150_000, "picture": 550_000}
MAX_TEXT = 20_000
INLINE_STYLE = re.compile(r' style="[^"]*"')
ATTACHED = re.compile(r'<img [^>]*src="data:image/[^">]*"[^>]*>')
BEGIN, END = (re.compile(rf"{mark} (HIDDEN TESTS|MARK SCHEME)") for mark in ("BEGIN", "END"))
LEFT_OUT = Markup("<p>[Left out: this page would be too large. It is in your notebook.]</p>")


@dataclass
class Shown:
    """A cell as the page shows it."""

    kind: str
    source: Markup
    outputs: list[Markup] = field(default_factory=list)
    given: bool = False


class Budget:
    """What is left of the page's room, for each kind of content: a flood of one does not push out another."""

    def __init__(self) -> None:
        self._left = dict(ROOM)
        self._work = {kind: 2 * room for kind, room in ROOM.items()}  # what turned out too large was work, too

    def may_render(self, kind: str, text: str) -> bool:
        """Whether `text` may be turned into HTML at all, which makes it longer: asked before the work, once a text."""
        if len(text) > min(self._left[kind], self._work[kind]):
            return False
        self._work[kind] -= len(text)
        return True

    def admit(self, kind: str, html: Markup) -> Markup:
        """Return `html`, or a word on it if there is no room left."""
        if len(html) > self._left[kind]:
            return LEFT_OUT
        self._left[kind] -= len(html)
        return html

    def admit_prose(self, html: Markup) -> Markup:
        """Return rendered Markdown, with its text in the room of sources and its pictures in that of pictures."""
        text = Markup(ATTACHED.sub("", html))  # noqa: S704 - a part of what was rendered
        if self.admit("source", text) is not text:
            return self.admit("source", html)
        return Markup(ATTACHED.sub(lambda picture: self.admit("picture", Markup(picture[0])), html))  # noqa: S704


def cut(text: str) -> str:
    """Return `text`, or its beginning and a word on the rest."""
    return (
        text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}\n[… {len(text) - MAX_TEXT:,} more characters left out]"
    )


def without_hidden(source: str) -> str:
    """`source` without the lines from a mark of something hidden to its end, or to the cell's."""
    if not BEGIN.search(source):
        return source
    kept, inside = [], ""
    for line in source.split("\n"):
        begin = None if inside else BEGIN.search(line)
        if begin:
            inside = begin[1]
        elif not inside:
            kept.append(line)
        elif (end := END.search(line)) and end[1] == inside:
            inside = ""
    return "\n".join(kept)


def show(cell: Any, budget: Budget) -> Shown:
    """Show one cell of a graded notebook, without the hidden part of a test cell and without its points."""
    metadata = cell.metadata.get("nbgrader", {})
    source = without_hidden(cell.source)
    given = bool(metadata.get("locked")) and not metadata.get("solution")
    tested = bool(metadata.get("grade")) and not metadata.get("solution") and cell.cell_type == "code"
    kind = "checks" if tested else str(cell.cell_type)
    html = _source(cell, source) if budget.may_render("source", cut(source)) else LEFT_OUT
    html = budget.admit_prose(html) if cell.cell_type == "markdown" else budget.admit("source", html)
    if kind not in ("code", "checks"):
        return Shown(kind, html, given=given)
    secretive = tested and source != cell.source and split(cell.source)[1] is None
    outputs = _harmless_outputs(cell) if secretive else cell.outputs
    if tested and in_notebook.verdict_of(cell) is not None:
        outputs = [output for output in outputs if output.output_type != "execute_result"]  # the points, for nbgrader
    return Shown(kind, html, [html for output in outputs for html in _output(output, budget)], given)


def _source(cell: Any, source: str) -> Markup:
    if cell.cell_type == "markdown":
        return markdown(cut(source), cell.get("attachments"))
    return (
        highlighted(cut(source.rstrip())) if cell.cell_type == "code" else Markup("<pre>{}</pre>").format(cut(source))
    )


def _harmless_outputs(cell: Any) -> list[Any]:
    """Leave out what hidden tests inside of a cell wrote: another engine's errors name their values."""
    return [output for output in cell.outputs if output.output_type not in ("error", "stream")]


def _output(output: Any, budget: Budget) -> list[Markup]:
    if output.output_type == "stream":
        return [_text(output.text, budget)]
    if output.output_type == "error":
        return [_text("\n".join(output.traceback) or f"{output.ename}: {output.evalue}", budget)]
    data = output.get("data", {})
    if in_notebook.MIME in data:
        return []
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            return [_picture(f"data:{kind};base64,{data[kind]}".replace("\n", ""), budget)]
    return [_text(data["text/plain"], budget)] if "text/plain" in data else []


def _text(text: str, budget: Budget) -> Markup:
    # Colours of the page's own style sheet only: one of a terminal's 256 can be too pale to read.
    text = cut(text)
    if not budget.may_render("output", text):
        return LEFT_OUT
    escaped = Markup(INLINE_STYLE.sub("", ansi2html(text)))  # noqa: S704 - it escapes
    return budget.admit("output", Markup('<pre tabindex="0">{}</pre>').format(escaped))


def _picture(url: str, budget: Budget) -> Markup:
    if not budget.may_render("picture", url):
        return LEFT_OUT
    if not PICTURE.fullmatch(url):
        return Markup("<p>[A picture that cannot be shown]</p>")
    return budget.admit("picture", Markup('<img src="{}" alt="Plot from your notebook">').format(url))
