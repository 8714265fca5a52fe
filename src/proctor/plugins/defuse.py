"""Students' text as HTML that can do nothing: it neither runs, nor loads, nor pretends to be part of the page.

The feedback page shows Markdown through `markdown`. `DefuseMarkdown` looks after viewers that are not ours: formgrader
shows a student's Markdown cell as it is, so that a script in it would run in the instructor's session and could set
grades.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import bleach  # type: ignore[import-untyped]
from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]
from markupsafe import Markup, escape
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_locked

# Markdown parsers take quadratic time on some texts: what is longer than this is shown as it was typed.
MAX_MARKDOWN = 8_000
MAX_MARKDOWN_TOGETHER = 100_000  # of a notebook's cells that are not locked
MAX_TYPED = 20_000
KEPT = {"kernelspec", "proctor"}  # of a notebook's metadata
PICTURE = re.compile(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=\s]*")
PLAIN = {
    ".ipynb",
    ".txt",
    ".csv",
    ".tsv",
    ".json",
    ".py",
    ".md",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".npy",
    ".npz",
    ".pdf",
}
LINK = re.compile(r"(https?://|mailto:)", re.IGNORECASE)
TAGS = {"a", "abbr", "b", "br", "code", "del", "em", "i", "img", "kbd", "s", "span", "strong", "sub", "sup", "u"} | {
    "blockquote", "caption", "dd", "details", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


def markdown(source: str, attachments: Any = None) -> Markup:
    """Render a Markdown cell: formatting, links that one has to click, attached png and jpeg pictures, nothing else."""
    if len(source) > MAX_MARKDOWN:
        return Markup("<pre>{}</pre>").format(source)
    pictures = attachments.items() if isinstance(attachments, dict) else ()
    attached = {name: kinds for name, kinds in pictures if isinstance(kinds, dict)}
    return _rendered(source, attached) if attached else _known(source)


@lru_cache(maxsize=500)  # a class's prose is the same, but for what students add
def _known(source: str) -> Markup:
    return _rendered(source, {})


def _rendered(source: str, attachments: Any) -> Markup:
    rendered = MarkdownWithMath(renderer=_Renderer(attachments)).render(source)
    return Markup(  # noqa: S704 - bleach has been over it
        bleach.clean(
            rendered,
            tags=TAGS,
            attributes=_allowed,
            protocols={"http", "https", "mailto", "data"},
            strip=True,
            css_sanitizer=CSSSanitizer(allowed_css_properties=["text-align"]),
        )
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag == "a" and name == "href":
        return LINK.match(value) is not None
    if tag == "img" and name == "src":
        # A picture from elsewhere would tell its server who reads the page, and when.
        return PICTURE.fullmatch(value) is not None
    return (tag == "img" and name == "alt") or (tag in ("td", "th") and name == "style") or name == "title"


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, but a picture that is not there is said in words: nbconvert gives up the whole page."""

    def __init__(self, attachments: Any) -> None:
        super().__init__(escape=False, attachments=attachments, exclude_anchor_links=True)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        if url.startswith("attachment:"):
            attached = self.attachments.get(url.removeprefix("attachment:"), {})
            kinds = [kind for kind in ("image/png", "image/jpeg") if isinstance(attached.get(kind), str)]
            url = f"data:{kinds[0]};base64,{attached[kinds[0]]}" if kinds else ""
        if not PICTURE.fullmatch(url):
            return str(escape(f"[picture: {text or 'not shown'}]"))
        return f'<img src="{escape(url)}" alt="{escape(text)}">'


def is_harmless(source: str, attachments: Any = None) -> bool:
    """True if any viewer may render `source`: no HTML in it, no link that runs code, nothing attached but pictures."""
    if len(source) > MAX_MARKDOWN:
        return False
    attached = attachments or {}
    kinds = {kind for kind_of in attached.values() for kind in kind_of}
    names = set(re.findall(r"attachment:([^)\s>\"]+)", source))
    if kinds - {"image/png", "image/jpeg"} or names - set(attached):
        return False
    # The parser is the same for both, so they differ exactly by what it passes through.
    trusting = IPythonRenderer(escape=False, allow_harmful_protocols=True, attachments=attached)
    careful = IPythonRenderer(escape=True, allow_harmful_protocols=False, attachments=attached)
    rendered = MarkdownWithMath(renderer=trusting).render(source)
    # A relative link leads to the viewer's own pages, or to a file that came with the notebook.
    links = re.findall(r'href="([^"]*)"', rendered)
    if not all(LINK.match(link) or link.startswith("#") for link in links):
        return False
    return rendered == MarkdownWithMath(renderer=careful).render(source)


def remove_pages(folder: Path) -> None:
    """Remove files from ``autograded/`` that are no plain data: by list, as browsers run what has one of many names."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix.lower() not in PLAIN:
            path.unlink()


class DefuseMarkdown(NbGraderPreprocessor):  # type: ignore[misc]
    """Show a student's Markdown cell as typed text in ``autograded/`` if it holds more than Markdown.

    One of nbgrader's autograde preprocessors. ``submitted/`` keeps what was handed in, and locked cells, which
    nbgrader has restored by now, keep the HTML that their author wrote.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Defuse every cell, and drop what viewers show of a notebook's metadata: title, authors, state of widgets.

        Formgrader serves the files beside the notebook: those that a browser could run are removed from its copy.
        """
        remove_pages(Path(resources["metadata"]["path"]))
        self._room = MAX_MARKDOWN_TOGETHER
        for name in set(nb.metadata) - KEPT:
            del nb.metadata[name]
        nb, resources = super().preprocess(nb, resources)
        return nb, resources

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Defuse one cell in place."""
        if cell.cell_type != "markdown" or is_locked(cell):
            return cell, resources
        self._room -= len(cell.source)
        if self._room < 0 or not _safely_harmless(cell):
            cell.source = as_typed(cell.source)
            cell.pop("attachments", None)
            self.log.warning(
                "A Markdown cell holds HTML, a script, a broken picture or too much: it is shown as typed."
            )
        return cell, resources


def _safely_harmless(cell: Any) -> bool:
    try:
        return is_harmless(cell.source, cell.get("attachments"))
    except Exception:  # noqa: BLE001 - attachments of any form, texts that break the parser: then it is not
        return False


def as_typed(source: str) -> str:
    """Markdown that shows `source` itself, in a fence longer than any in it."""
    longest = max(map(len, re.findall(r"~{3,}", source)), default=2)
    fence = "~" * (longest + 1)
    return f"{fence}\n{source[:MAX_TYPED]}\n{fence}"
