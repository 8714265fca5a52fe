"""Python and a terminal's colours as HTML, in time that grows with their length: what nbconvert has is slower on some.

Used for the feedback page, and by formgrader's page through ``c.HTMLExporter.filters``.
"""

from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape
from nbconvert.filters.ansi import ansi2html, strip_ansi
from nbconvert.filters.highlight import Highlight2HTML
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

MAX_SOURCE = 20_000  # characters of a cell
MAX_LINE = 1_000
MAX_PAGE = 100_000  # characters of a page's cells together
MAX_COPIED = 50_000_000  # characters, at the escape sequences of one text


def plain_lines(source: str) -> str:
    """`source` without blanks at the ends of its lines: Pygments' expressions go back over them again and again."""
    return "\n".join(line.rstrip() for line in source.split("\n"))


def is_quick(source: str) -> bool:
    """Whether `source`, with plain lines, is highlighted in no time."""
    return len(source) <= MAX_SOURCE and all(len(line) <= MAX_LINE for line in source.split("\n"))


@lru_cache(maxsize=500)  # most of a class's cells are the same: those that were given
def highlighted(source: str) -> Markup:
    """Spans with Pygments' classes; the escaped text alone where that would take long."""
    text = plain_lines(source)
    if not is_quick(text):
        return escape(source)
    return Markup(highlight(text, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)))  # noqa: S704 - it escapes


def coloured(text: str) -> str:
    """Stand in for nbconvert's ``ansi2html``, which copies the rest of a text at each colour: many are left out."""
    few = text.count("\x1b") * len(text) <= MAX_COPIED
    return str(ansi2html(text) if few else escape(strip_ansi(text)))


class BoundedHighlight(Highlight2HTML):
    """nbconvert's filter ``highlight_code`` for one page, with a bound for each cell and for all together."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pygments_lexer="ipython3", **kwargs)  # type: ignore[no-untyped-call]
        self._left = MAX_PAGE

    def __call__(self, source: str, language: Any = None, metadata: Any = None) -> str:
        """Return a block of HTML."""
        text = plain_lines(source)
        self._left -= len(text)
        if self._left < 0 or not is_quick(text):
            return str(Markup('<div class="highlight"><pre>{}</pre></div>').format(source))
        return str(super().__call__(text, language, metadata))  # type: ignore[no-untyped-call]
