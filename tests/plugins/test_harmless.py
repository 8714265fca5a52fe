"""A student's Markdown cannot run in the instructor's session."""

import base64
import re
import struct
import zlib

import nbformat
import pytest
from formgrader_page import formgrader
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from proctor.autograde.defuse import DefuseMarkdown, RemovePages
from proctor.feedback.cell import Budget, show
from proctor.plugins.formgrader import template_paths
from proctor.render.markdown import as_typed, is_harmless, markdown

HARMFUL = [
    "<script>alert(1)</script>",
    "text <img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click][1]\n\n[1]: javascript:alert(1)",
    "<p>\n    <script>alert(1)</script>\n</p>",
    "~~~~\n</pre><script>alert(1)</script>\n~~~~\n\n<script>alert(1)</script>",
    "![x](attachment:missing.png)",
    "[my plot](plot.HTML)",
    "[click](/formgrader/api/grades)",
    "[click](//example.org/x)",
]
HARMLESS = [
    "# Title\n\n*So* **it** is: `x < y`, [a link](https://example.org), $a^2 < b$\n\n- one\n- two\n\n| a | b |\n|--|--:|\n| 1 | 2 |",
    "```python\nif a < b:\n    print('<script>')\n```",
    "",
]


def defused(source, **metadata):
    cell = new_markdown_cell(source, metadata=metadata)
    nb, _ = DefuseMarkdown().preprocess(new_notebook(cells=[cell]), {})
    return nb


@pytest.mark.parametrize("source", HARMFUL)
def test_formgrader_shows_harmful_markdown_as_typed(source, inventory):
    """In nbgrader's own page of a submission nothing of it is markup."""
    stock = inventory(formgrader(defused(source)))
    assert "script" not in stock.tags
    assert not stock.handlers
    assert not stock.links
    assert not stock.loads


def test_without_it_formgrader_would_run_it():
    """The danger is real: should nbgrader learn to sanitize, this part can go."""
    assert "<script>alert(1)</script>" in formgrader(new_notebook(cells=[new_markdown_cell(HARMFUL[0])]))


def test_formgrader_folds_given_code_and_nothing_else():
    """Helpers do not fill the page; the student's cells, and the checks with their points, are shown in full."""

    def code(name, **kind):
        claims = {"schema_version": 3, "grade_id": name, "locked": True, "grade": False, "solution": False} | kind
        return new_code_cell(name, metadata={"nbgrader": {**claims, "task": False}, "tags": ["mine"]})

    cells = [
        code("given"),
        code("solution", solution=True, locked=False),
        code("test", grade=True, points=1),
        new_code_cell("own", metadata={"tags": ["given"]}),
    ]
    nb, _ = DefuseMarkdown().preprocess(new_notebook(cells=cells), {})
    assert [cell.metadata.get("tags") for cell in nb.cells] == [["given"], None, None, None]
    page = formgrader(nb, template_paths=template_paths())
    assert page.count("celltag_") == 1
    assert 'code_cell rendered celltag_given"' in page
    assert ".celltag_given .input_area { max-height:" in formgrader(nb, part="<head>", template_paths=template_paths())


def test_formgrader_has_no_page_of_a_students_to_serve(tmp_path):
    """What a browser might run is taken out of the graded copy, whatever its name; data, and the author's files, stay."""
    root, graded = tmp_path, tmp_path / "autograded/ada/tiny"
    pages = {"a.html", "b.HTML", "c.xht", "d.SVG", "e.shtml", "f", "g.html.", "h.Xml", "folder/i.js", "changed.svg"}
    data = {"tiny.ipynb", "timestamp.txt", "data.CSV", "folder/plot.png", "given.svg"}
    (graded / "folder").mkdir(parents=True)
    (root / "source/tiny").mkdir(parents=True)
    for name in pages | data:
        (graded / name).touch()
    (root / "source/tiny/given.svg").touch()
    (root / "source/tiny/changed.svg").write_text("<svg/>")
    RemovePages(config=Config(CourseDirectory={"root": str(root)})).preprocess(
        new_notebook(), {"nbgrader": {"student": "ada", "assignment": "tiny"}}
    )
    assert {str(path.relative_to(graded)) for path in graded.rglob("*") if path.is_file()} == data


def test_many_texts_are_not_all_parsed():
    """Parsers take quadratic time on some texts, and a notebook may have many of them."""
    cells = [new_markdown_cell("\\\\[" * 1000) for _ in range(400)]
    nb, _ = DefuseMarkdown().preprocess(new_notebook(cells=cells), {})
    assert [cell.source.startswith("~~~") for cell in nb.cells] == [False] * 33 + [True] * 367


@pytest.mark.parametrize("source", HARMLESS)
def test_plain_markdown_stays_as_it_is(source):
    """Formatting, links, formulas and code are the student's own business; a heading is as large as bold text."""
    assert defused(source).cells[0].source == source.replace("# Title", "**Title**")


HIDDEN_WAYS = {
    "a raw cell": nbformat.v4.new_raw_cell('<button class="full-credit">x</button>', metadata={"format": "text/html"}),
    "a remote picture": new_markdown_cell("![x](http://127.0.0.1:8888/logout)"),
    "a heading like an exercise": new_markdown_cell("# test_double\ntest_train\n======\n\n> # test_loss"),
    "tags and other metadata": new_markdown_cell("x", metadata={"tags": ["full-credit"], "format": "text/html"}),
    "outputs in a text cell": nbformat.NotebookNode(
        {**new_markdown_cell("x"), "outputs": [{"output_type": "display_data", "data": {}, "metadata": {}}]}
    ),
}


@pytest.mark.parametrize("way", HIDDEN_WAYS)
def test_no_id_class_script_or_address_by_any_way(way):
    """Raw cells, headings, pictures, tags, outputs: formgrader's page carries nothing of them but text."""
    nb, _ = DefuseMarkdown().preprocess(nbformat.from_dict({**new_notebook(), "cells": [HIDDEN_WAYS[way]]}), {})
    (cell,) = nb.cells
    assert cell.cell_type == "markdown"
    assert not cell.metadata
    assert "outputs" not in cell
    markup = " ".join(re.findall(r"<[a-z][^>]*>", formgrader(nb)))
    for danger in ('id="test_', "full-credit", "127.0.0.1:8888"):
        assert danger not in markup


def test_attached_pictures_stay_and_other_attachments_go():
    """A png is shown by any viewer; an svg may hold a script."""
    assert is_harmless("![x](attachment:a.png)", {"a.png": {"image/png": "AAAA"}})
    assert not is_harmless("![x](attachment:a.svg)", {"a.svg": {"image/svg+xml": "AAAA"}})


def test_an_authors_html_stays():
    """Locked cells are the instructor's: nbgrader has restored them before."""
    about = {"locked": True, "solution": False, "grade": False, "grade_id": "x"}
    assert defused("<details>more</details>", nbgrader=about).cells[0].source == "<details>more</details>"


@pytest.mark.parametrize("source", ["![x](attachment:a.png)\n\n" * 340, "![x][1]\n\n" * 340 + "[1]: attachment:a.png"])
def test_one_picture_is_not_shown_without_end(source):
    """By its name or by a reference: 340 times three megabytes would be a gigabyte."""
    attached = {"a.png": {"image/png": "A" * (3 << 20)}}
    assert not is_harmless(source, attached)
    assert "<img" not in markdown(source, attached)
    assert "<img" in markdown("![x](attachment:a.png)", attached)


def test_broken_attachments_are_no_way_out():
    """Whatever form they have, the cell is shown as typed and the grading goes on."""
    cell = nbformat.NotebookNode(cell_type="markdown", source="![x](attachment:y)", metadata={}, attachments=["y"])
    nb, _ = DefuseMarkdown().preprocess(nbformat.NotebookNode(cells=[cell], metadata={}), {})
    assert "attachments" not in nb.cells[0]
    assert nb.cells[0].source.startswith("~~~")


@pytest.mark.parametrize(
    "attachments", [["y"], {"y": "x"}, {"y": {"image/png": 3}}, {"y": {"image/png": '" onerror="'}}]
)
def test_the_feedback_page_takes_any_attachment(attachments):
    """What is no picture is said in words."""
    assert str(markdown("![plot](attachment:y)", attachments)) == "<p>[picture: plot]</p>\n"


def test_the_fence_is_longer_than_any_inside():
    """Text that closes fences stays inside of one."""
    source = "~~~~~~~\n<script>"
    assert as_typed(source).startswith("~~~~~~~~\n")
    assert "<script>" not in markdown(as_typed(source))


def test_a_long_text_is_not_parsed():
    """A text on which parsers take minutes is shown as it is, at once."""
    assert markdown("![[" * 40_000).startswith("<pre>![[")


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def answer(**attachments):
    """A written answer with pictures, as formgrader has it, and the notebook."""
    lines = "\n\n".join(f"![photo](attachment:{name.replace(' ', '%20')})" for name in attachments)
    cell = new_markdown_cell(
        f"Because.\n\n{lines}", attachments={name: dict([data]) for name, data in attachments.items()}
    )
    nb, _ = DefuseMarkdown().preprocess(new_notebook(cells=[cell]), {})
    return formgrader(nb), nb


def test_pictures_of_a_written_answer_reach_whoever_grades_it(inventory):
    """A name with a space, a GIF beside a PNG, a photo of 400 KB: a person has to see them to grade the answer."""
    photo = PNG[:-2] + "A" * 400_000 + "=="
    page, nb = answer(
        **{"my photo.png": ("image/png", PNG), "b.gif": ("image/gif", PNG), "c.jpg": ("image/jpeg", photo)}
    )
    assert inventory(page).tags.count("img") == 3
    shown = show(nb.cells[0], Budget()).source
    assert shown.count("<img") == 3
    assert "Because." in shown


def test_an_attachment_that_is_no_picture_leaves_itself_out(inventory):
    """The text and the other pictures stay, and what is left out is said."""
    page, _ = answer(**{"a.svg": ("image/svg+xml", "<svg onload=alert(1)>"), "b.png": ("image/png", PNG)})
    found = inventory(page)
    assert found.tags.count("img") == 1
    assert not found.handlers
    assert "an attachment: not shown" in page
    assert "Because." in page


def test_a_picture_of_a_billion_pixels_is_left_out(inventory):
    """Its header says so in thirty bytes, and a browser would take four gigabytes for it."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    raw = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    bomb = base64.b64encode(raw).decode()
    page, _ = answer(**{"a.png": ("image/png", bomb), "a.gif": ("image/gif", bomb), "b.png": ("image/png", PNG)})
    assert inventory(page).tags.count("img") == 1
    assert page.count("an attachment: not shown") == 2
