"""What a student writes does nothing on a page that somebody opens, and holds up nobody who opens it.

Each attack is shown on nbgrader's own page first, where it does harm, and then on it with our parts in place.
"""

import base64
import re
import struct
import time
import zlib

import pytest
from formgrader_page import formgrader
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from page_fixtures import Inventory

from proctor.autograde.defuse import DefuseMarkdown
from proctor.feedback.cell import Budget, show
from proctor.notebook.cell_run import MAX_CELL_OUTPUT, CellRun, output_of
from proctor.notebook.handed_in import count_outputs
from proctor.plugins.formgrader import template_paths
from proctor.render.highlight import BoundedHighlight, coloured

SECONDS = 10.0  # of computing; a page of an ordinary notebook takes a fifth of one
FILTERS = {"highlight_code": BoundedHighlight, "ansi2html": coloured}
HEADER = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
BOMB = base64.b64encode(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + HEADER + struct.pack(">I", zlib.crc32(HEADER)))
SVG = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").decode()


def markdown(source, **more):
    return new_markdown_cell(source, **more)


def raw(source, kind="text/html"):
    return new_raw_cell(source, metadata={"format": kind, "raw_mimetype": kind})


MARKUP = {
    "a-script": markdown("<script>alert(1)</script>"),
    "a-script-in-upper-case": markdown("<ScRiPt>alert(1)</sCrIpT>"),
    "a-script-behind-a-fence": markdown("```\nx\n```\n<script>alert(1)</script>"),
    "a-script-in-a-table": markdown("| a |\n|---|\n| <script>alert(1)</script> |"),
    "a-script-in-a-list": markdown("- a\n\n  <script>alert(1)</script>"),
    "a-script-in-a-quotation": markdown("> <script>alert(1)</script>"),
    "a-script-beside-a-formula": markdown("$x$ <script>alert(1)</script> $$y$$"),
    "a-script-in-a-link": markdown("[<img src=x onerror=alert(1)>](https://example.org)"),
    "a-handler": markdown("<b onmouseover=alert(1)>x</b>"),
    "a-handler-over-two-lines": markdown("<b\nonclick=alert(1)>x</b>"),
    "a-handler-of-details": markdown("<details open ontoggle=alert(1)>x</details>"),
    "an-svg": markdown("<svg><animate onbegin=alert(1) attributeName=x dur=1s>"),
    "mathml": markdown("<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>"),
    "a-frame": markdown('<iframe srcdoc="&lt;script&gt;alert(1)&lt;/script&gt;"></iframe>'),
    "an-object": markdown('<object data="/logout"></object>'),
    "an-embedded-page": markdown('<embed src="/logout">'),
    "a-base": markdown('<base href="https://example.org/">'),
    "a-refresh": markdown('<meta http-equiv="refresh" content="0;url=/logout">'),
    "a-style-sheet": markdown('<link rel="stylesheet" href="https://example.org/x.css">'),
    "a-form": markdown('<form action="/logout"><input name="x"><button>Save</button></form>'),
    "a-style": markdown("<style>.score { display: none }</style>"),
    "a-style-that-fetches": markdown('<p style="background:url(/logout)">x</p>'),
    "a-remote-picture": markdown("![x](https://example.org/x.png)"),
    "a-picture-by-reference": markdown("![x][1]\n\n[1]: /logout"),
    "a-picture-in-html": markdown('<img srcset="/logout 1x">'),
    "a-link-that-runs": markdown("[x](javascript:alert(1))"),
    "a-link-that-runs-by-reference": markdown("[x][1]\n\n[1]: javascript:alert(1)"),
    "a-link-in-entities": markdown("[x](java&#115;cript:alert(1))"),
    "a-link-to-the-server": markdown("[see my plot](/formgrader/api/grades)"),
    "a-link-without-scheme": markdown("[x](//example.org/x)"),
    "a-heading-like-an-exercise": markdown("# test_double"),
    "a-heading-with-a-line": markdown("test_double\n==========="),
    "a-heading-in-a-list": markdown("- # test_double"),
    "an-id": markdown('<input id="test_double" class="score">'),
    "a-raw-page": raw("<script>alert(1)</script>"),
    "a-raw-page-of-another-kind": raw('<b onclick="alert(1)">x</b>', "text/html; charset=utf-8"),
    "an-svg-attached": markdown("![x](attachment:a.svg)", attachments={"a.svg": {"image/svg+xml": SVG}}),
    "a-name-that-breaks-out": markdown('![x](attachment:a"onerror="alert(1))', attachments={'a"onerror="alert(1)': {"image/png": "AAAA"}}),
    "html-in-an-output": new_code_cell("1", outputs=[new_output("display_data", {"text/html": "<script>alert(1)</script>"})]),
    "an-svg-in-an-output": new_code_cell("1", outputs=[new_output("display_data", {"image/svg+xml": "<svg onload=alert(1)></svg>"})]),
    "a-script-in-an-output": new_code_cell("1", outputs=[new_output("display_data", {"application/javascript": "alert(1)"})]),
    "markdown-in-an-output": new_code_cell("1", outputs=[new_output("display_data", {"text/markdown": "<img src=x onerror=alert(1)>"})]),
    "latex-in-an-output": new_code_cell("1", outputs=[new_output("display_data", {"text/latex": "<img src=x onerror=alert(1)>"})]),
}  # fmt: skip
# These do nothing on nbgrader's page of today: a template that does not show such cells, an attachment that it refuses
# to show (and the page with it), an output of which it takes another form. Ours do not depend on that.
STOCK_REFUSES = {
    "a-raw-page",
    "a-raw-page-of-another-kind",
    "an-svg-attached",
    "a-name-that-breaks-out",
    "an-svg-in-an-output",
    "latex-in-an-output",
}


def prepared(cells):
    """Cells as the graded notebook has them: outputs reduced as those of a run are, text defused."""
    nb = from_dict({**new_notebook(), "cells": [from_dict(cell) for cell in cells]})
    handed_in = {cell.id: (cell.source, cell.outputs) for cell in nb.cells if cell.cell_type == "code"}
    count_outputs(nb.cells, handed_in, 16 << 20)
    return DefuseMarkdown().preprocess(nb, {})[0]


def harm(page):
    """What markup does beside formgrader's own: what runs, loads, leads elsewhere, or has a name of the page's."""
    found = Inventory(page)
    dangerous = {"script", "style", "svg", "math", "iframe", "object", "embed", "base", "meta", "link", "form", "input"}
    done = [tag for tag in found.tags if tag in dangerous]
    done += [link for link in found.links if not link.startswith(("http://", "https://", "mailto:", "#"))]
    done += [place for place in found.loads if not place.startswith("data:image/")]
    markup = " ".join(re.findall(r"<[a-z][^>]*>", page))
    done += [name for name in ('id="test_double"', "url(/logout)", "https://example.org/x.") if name in markup]
    return sorted(done + found.handlers)


EMPTY = harm(formgrader(new_notebook(cells=[new_markdown_cell("x")])))


@pytest.mark.parametrize("name", MARKUP)
def test_cant_do_anything_on_a_page(name):
    """In formgrader's page and in the feedback page nothing of it is markup that does something."""
    if name not in STOCK_REFUSES:
        assert harm(formgrader(new_notebook(cells=[MARKUP[name]]))) != EMPTY, "this attack does not even work"
    nb = prepared([MARKUP[name]])
    assert harm(formgrader(nb, template_paths=template_paths(), filters=FILTERS)) == EMPTY
    (cell,) = nb.cells
    shown = show(cell, Budget())
    assert harm("".join((shown.source, *shown.outputs))) == []


def printed(*texts):
    return [new_code_cell("1", outputs=[new_output("stream", name="stdout", text=text)]) for text in texts]


COSTS = {
    "colours": lambda: printed("\x1b[31mx" * 300_000),
    "colours-in-many-cells": lambda: printed(*["\x1b[31mx" * 15_000] * 30),
    "sequences-that-never-end": lambda: printed("\x1b[" * 900_000),
    "characters-that-are-escaped": lambda: printed(*["<" * 1_900_000] * 8),
    "many-small-outputs": lambda: [new_code_cell("1", outputs=[new_output("stream", name=("stdout", "stderr")[n % 2], text="x") for n in range(2000)])] * 20,
    "tracebacks": lambda: [new_code_cell("1", outputs=[new_output("error", ename="E", evalue="e", traceback=["<" * 5000] * 200)]) for _ in range(50)],
    "results": lambda: [new_code_cell("1", outputs=[new_output("execute_result", {"text/plain": "<" * 99_000})]) for _ in range(100)],
    "strings-that-never-end": lambda: [new_code_cell("'" * 900 + "\n" + ("f'{" * 300 + "\n") * 20)] * 15,
    "brackets": lambda: [new_code_cell(("(" * 999 + "\n") * 19)] * 15,
    "blanks": lambda: [new_code_cell((" " * 990 + "x\n") * 19)] * 15,
    "links-that-never-end": lambda: [markdown("[a](" * 1900)] * 50,
    "stars": lambda: [markdown("*a **b " * 1100)] * 50,
    "quotations": lambda: [markdown(">" * 7900)] * 50,
    "lists": lambda: [markdown("\n".join(" " * n + "- a" for n in range(110)))] * 50,
    "backticks": lambda: [markdown("".join("`" * n + " " for n in range(1, 120)))] * 50,
    "formulas": lambda: [markdown("$" * 7900)] * 50,
    "tags-that-never-end": lambda: [markdown("<a " * 2600)] * 50,
    "tables": lambda: [markdown(("|a" * 30 + "\n") * 130)] * 50,
    "fences": lambda: [markdown("~" * 7900), markdown("```\n" * 1900)] * 25,
    "long-answers": lambda: [markdown("a\n" * 24_000)] * 20,
    "a-huge-picture": lambda: [markdown("![x](attachment:a.png)", attachments={"a.png": {"image/png": BOMB.decode()}})] * 50,
}  # fmt: skip


@pytest.mark.parametrize("name", COSTS)
def test_cant_hold_up_whoever_opens_a_page(name):
    """Both pages are there in some seconds, and small enough for a browser."""
    began = time.process_time()
    nb = prepared([{**cell, "id": f"c{number}"} for number, cell in enumerate(COSTS[name]())])
    budget = Budget()
    feedback = sum(
        len(part) for cell in nb.cells for shown in [show(cell, budget)] for part in (shown.source, *shown.outputs)
    )
    page = formgrader(nb, template_paths=template_paths(), filters=FILTERS)
    assert time.process_time() - began < SECONDS
    assert feedback < 1 << 20
    assert len(page) < 8 << 20
    assert BOMB.decode() not in page


def test_cant_keep_more_by_what_decides_points():
    """A result or an error is kept whatever its size, but as far as it decides points, and no further."""
    run = CellRun()
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(MAX_CELL_OUTPUT)).decode()
    for data in ({"text/plain": "3.0"}, {"text/plain": "2.0", "image/png": picture}):
        output = new_output("execute_result", data)
        run.add(output, sum(map(len, data.values())))
    run.add(*output_of({"msg_type": "error", "ename": "E", "evalue": "e", "traceback": ["x" * 5000] * 200}))
    result, error = run.outputs
    assert dict(result.data) == {"text/plain": "2.0"}
    assert (error.ename, error.evalue) == ("E", "e")
    assert run.characters < 110_000
    run.leave_out(new_output("stream", text="left out"))
    assert run.characters < 2_000


def test_colours_are_kept_where_there_are_few():
    """A traceback looks as before."""
    assert coloured("\x1b[31mError\x1b[0m: <x>") == '<span class="ansi-red-fg">Error</span>: &lt;x&gt;'
    assert coloured("\x1b[31mx" * 10_000) == "x" * 10_000
