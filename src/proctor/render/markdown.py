"""Students' Markdown as HTML that can do nothing: it neither runs, nor loads, nor pretends to be part of the page.

The feedback page shows Markdown through `markdown`; `proctor.autograde.defuse` asks `is_harmless` for viewers that are
not ours.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import bleach  # type: ignore[import-untyped]
from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]
from markupsafe import Markup, escape
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

# Markdown parsers take quadratic time on some texts: what is longer than this is shown as it was typed.
MAX_MARKDOWN = 8_000


MAX_TYPED = 20_000


KINDS = ("image/png", "image/jpeg", "image/gif")
PICTURE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]*")
MAX_PICTURE = 8 << 20  # of base64: a photo as a phone takes it
MAX_PICTURES = 32 << 20  # of base64, in one text: one picture may be shown many times


HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]+(.*?))?[ \t]*#*[ \t]*")
UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
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
    return _rendered(source, attached) if attached and is_small(source, attached) else _known(source)


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
            kinds = [kind for kind in KINDS if isinstance(attached.get(kind), str)]
            url = f"data:{kinds[0]};base64,{attached[kinds[0]]}" if kinds else ""
        if not PICTURE.fullmatch(url):
            return str(escape(f"[picture: {text or 'not shown'}]"))
        return f'<img src="{escape(url)}" alt="{escape(text)}">'


def with_plain_pictures(
    source: str, attachments: Any, can_be_shown: Callable[[str], object]
) -> tuple[str, dict[str, Any]]:
    """Return a cell's text and its attached pictures, under names that every renderer finds.

    What is no picture, too large for one, or cannot be shown (asked of its base64 text) leaves a word in its place;
    the rest of the answer stays as it is.
    """
    kept: dict[str, Any] = {}
    # The longest names first: one may begin like another.
    for name in sorted(attachments or {}, key=len, reverse=True):
        pictures = {
            kind: data
            for kind, data in attachments[name].items()
            if kind in KINDS and _is_picture(kind, data) and can_be_shown(data)
        }
        plain = re.sub(r"[^A-Za-z0-9._-]", "-", name) if pictures else ""
        plain = f"{len(kept)}-{plain}" if plain in kept else plain
        for spelled in {name, quote(name), name.replace(" ", "%20")}:
            if pictures:
                source = source.replace(f"(attachment:{spelled})", f"(attachment:{plain})")
                continue
            source = re.sub(rf"!\[[^\]\n]*\]\(attachment:{re.escape(spelled)}\)", "[an attachment: not shown]", source)
        if pictures:
            kept[plain] = pictures
    return source, kept


def _is_picture(kind: str, data: Any) -> bool:
    return isinstance(data, str) and len(data) <= MAX_PICTURE and bool(PICTURE.fullmatch(f"data:{kind};base64,{data}"))


def is_small(source: str, attachments: Any) -> bool:
    """Whether `source` is of a size that can be rendered with its attached pictures, wherever they are shown."""
    pictures = [data for kinds in attachments.values() for data in kinds.values()]
    largest = max((len(data) for data in pictures if isinstance(data, str)), default=0)
    return (source.count("![") + source.count("attachment:")) * largest <= MAX_PICTURES


def is_harmless(source: str, attachments: Any = None) -> bool:
    """True if any viewer may render `source`: no HTML in it, no link that runs code, nothing attached but pictures."""
    if len(source) > MAX_MARKDOWN:
        return False
    attached = attachments or {}
    if not is_small(source, attached):
        return False
    kinds = {kind for kind_of in attached.values() for kind in kind_of}
    names = set(re.findall(r"attachment:([^)\s>\"]+)", source))
    if kinds - set(KINDS) or names - set(attached):
        return False
    # The parser is the same for both, so they differ exactly by what it passes through.
    trusting = IPythonRenderer(escape=False, allow_harmful_protocols=True, attachments=attached)
    careful = IPythonRenderer(escape=True, allow_harmful_protocols=False, attachments=attached)
    rendered = MarkdownWithMath(renderer=trusting).render(source)
    # A relative link leads to the viewer's own pages, or to a file that came with the notebook.
    links = re.findall(r'href="([^"]*)"', rendered)
    if not all(LINK.match(link) or link.startswith("#") for link in links):
        return False
    # A picture from elsewhere is fetched when the page is opened; a heading gets an id, which may be one of the page's.
    if not all(PICTURE.fullmatch(address) for address in re.findall(r'src="([^"]*)"', rendered)):
        return False
    if re.search(r"<h[1-6]\b", rendered):
        return False
    return rendered == MarkdownWithMath(renderer=careful).render(source)


def without_headings(source: str) -> str:
    """`source` with its headings in bold: as headings they would get ids, and one may be called like an exercise."""
    result, fence = [], ""
    for line in source.split("\n"):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if mark and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else mark[1]
        heading = None if fence or mark else HEADING.fullmatch(line)
        if heading:
            result.append(f"**{heading[1]}**" if heading[1] else "")
        else:
            result.append("" if not fence and UNDERLINE.fullmatch(line) and result and result[-1].strip() else line)
    return "\n".join(result)


def as_typed(source: str) -> str:
    """Markdown that shows `source` itself, in a fence longer than any in it."""
    longest = max(map(len, re.findall(r"~{3,}", source)), default=2)
    fence = "~" * (longest + 1)
    return f"{fence}\n{source[:MAX_TYPED]}\n{fence}"
