"""What tests of pages need: feedback made by nbgrader itself, an inventory of a page, and a browser."""

import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import graded_class
import pytest
from graded_class import CONFIG, Graded, write_feedback


class Inventory(HTMLParser):
    """All that a page's markup does: elements, addresses, handlers. Text is not in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        self.tags.append(tag)
        for name, value in attributes:
            if name.startswith("on"):
                self.handlers.append(name)
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in (
                "href",
                "src",
                "srcset",
                "data",
                "action",
                "formaction",
                "poster",
                "background",
                "xlink:href",
            ):
                self.loads.append(value or "")


@pytest.fixture
def inventory() -> type[Inventory]:
    """The class that takes stock of a page."""
    return Inventory


@pytest.fixture
def feedback(tiny: Path) -> Callable[[Graded], str]:
    """Grade one student, have nbgrader write the feedback, return the page."""
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write(CONFIG)

    def make(result: Graded) -> str:
        graded_class.grade(tiny, result)
        return write_feedback(tiny, result.student).read_text()

    return make


@pytest.fixture
def browser() -> Iterator[Any]:
    """Chromium without a window, or a skipped test."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no browser on this machine: install Debian's chromium to run this test")
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=quiet)
        yield chromium
        chromium.close()
