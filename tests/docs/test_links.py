"""Links on the pages lead somewhere: to files, headings and pictures that are there."""

import re
import urllib.parse

import pages
import pytest
from course_files import ROOT

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
IMAGES = ROOT / "docs" / "images"


def text_of(page):
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """Anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ +(.+?) *$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def links(page):
    """Targets of a page's links, also in pictures that are links."""
    return [link for link in LINK.findall(text_of(page)) if not link.startswith(("http://", "https://"))]


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.names())
def test_links_lead_to_files_and_headings(page):
    """No link is dead, and a link to a heading finds it."""
    dead = []
    for link in links(page):
        path, _, anchor = urllib.parse.unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if ROOT not in target.parents or not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert not dead


def test_every_page_is_linked_from_somewhere():
    """A page in docs that nothing leads to is never read."""
    reached = {(page.parent / link.partition("#")[0]).resolve() for page in pages.PAGES for link in links(page)}
    assert {page for page in pages.PAGES if page.parent != ROOT} <= reached


def test_pictures_are_used_and_small():
    """Each picture is on a page and weighs less than 300 kB."""
    used = {(page.parent / link).resolve() for page in pages.PAGES for link in links(page)}
    pictures = set(IMAGES.iterdir())
    assert {path.name for path in pictures} == {"notebook.png", "feedback.png", "report.png", "formgrader.png"}
    assert pictures <= used
    assert [path.name for path in pictures if path.stat().st_size >= 300_000] == []
