"""Highlighting takes no longer than a page's length deserves, whatever was typed."""

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from proctor.feedback import cell as shown_cell
from proctor.feedback.cell import ROOM, Budget, show, without_hidden
from proctor.plugins import configure
from proctor.render import highlight
from proctor.render.highlight import BoundedHighlight, highlighted

SLOW = {  # each takes Pygments seconds or minutes
    "blank lines with a space": " \n" * 15_000,
    "blank lines with tabs": "\t \n" * 10_000,
    "one long line": "a." * 15_000,
    "a megabyte": "x = 1\n" * 200_000,
}


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    """What comes to Pygments: small texts without blanks at the ends of lines, and not much of them together."""
    seen = []

    def watch(stock):
        def call(text, *args):
            assert not [line for line in text.split("\n") if line != line.rstrip()]
            assert highlight.is_quick(text)
            seen.append(text)
            return stock(text, *args)

        return call

    monkeypatch.setattr(highlight, "highlight", watch(highlight.highlight))
    stock = highlight.Highlight2HTML.__call__
    monkeypatch.setattr(
        highlight.Highlight2HTML, "__call__", lambda own, *args: watch(lambda *a: stock(own, *a))(*args)
    )
    return seen


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.timeout(60)
def test_slow_texts_are_shown_all_the_same(name):
    """By both pages, as they were typed."""
    source = SLOW[name]
    assert highlighted(source[:20_000]).striptags().split() == source[:20_000].split()
    page = BoundedHighlight()(source)
    assert "highlight" in page
    assert page.count("a.") == source.count("a.") or "<span" in page


def test_code_is_highlighted(counted):
    """An ordinary cell has colours, and nothing of it is markup."""
    for page in (highlighted("def f(x):\n    return '<b>'"), BoundedHighlight()("def f(x):\n    return '<b>'")):
        assert '<span class="k">def</span>' in page
        assert "<b>" not in page
    assert len(counted) == 2


def test_many_cells_are_not_all_highlighted(counted, monkeypatch):
    """Formgrader's page of one submission has a bound for all of them together."""
    cells, lines = 8, 3_000
    monkeypatch.setattr(highlight, "MAX_PAGE", 3 * len("x = 1\n") * lines)
    config = Config()
    configure.configure(config)
    typed = [new_code_cell("x = 1\n" * lines) for _ in range(cells)]
    exporter = HTMLExporter(
        config=Config({"HTMLExporter": {"filters": dict(config.HTMLExporter.filters.get_value({}))}})
    )
    page, _ = exporter.from_notebook_node(new_notebook(cells=typed))
    assert 0 < sum(map(len, counted)) <= highlight.MAX_PAGE
    assert page.count("x = 1") + page.count('<span class="n">x</span>') == cells * lines


def test_hidden_parts_are_left_out_line_by_line():
    """Also where the end is missing, where there are several, and where there are megabytes between the marks."""
    hidden = "a\n### BEGIN HIDDEN TESTS\nsecret\n### END HIDDEN TESTS\nb"
    assert without_hidden(hidden) == "a\nb"
    assert without_hidden("a\n=== BEGIN MARK SCHEME ===\nsecret\n### END HIDDEN TESTS\nmore") == "a"
    assert without_hidden(f"{hidden}\n{hidden}").count("secret") == 0
    assert without_hidden("### BEGIN HIDDEN TESTS\n" + "\n" * 6_000_000) == ""


def test_a_page_is_not_made_larger_than_its_room_first(counted, monkeypatch):
    """What does not fit any more is neither highlighted nor turned into HTML, however many cells there are."""
    turned = []
    stock = shown_cell.ansi2html
    monkeypatch.setattr(shown_cell, "ansi2html", lambda text: turned.append(text) or stock(text))
    budget = Budget()
    typed = "x = 12\n" * 2_000
    cells = [
        new_code_cell(typed + str(number), outputs=[nbformat.v4.new_output("stream", text="<" * 10_000)])
        for number in range(60)
    ]
    shown = [show(cell, budget) for cell in cells]
    assert "Left out" not in shown[0].source
    assert "Left out" in shown[-1].source
    assert "Left out" in shown[-1].outputs[0]
    assert 0 < sum(map(len, counted)) <= 2 * ROOM["source"]
    assert 0 < sum(map(len, turned)) <= 2 * ROOM["output"]
