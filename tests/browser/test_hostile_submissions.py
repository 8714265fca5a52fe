"""Formgrader with submissions that attack whoever opens them: clicked on, typed into, and nothing happens but that."""

import re
import sqlite3

import lab
import nbformat
import pytest
import tiny_course
from commands import run
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.api import Gradebook

pytestmark = pytest.mark.skipif(lab.CHROMIUM is None, reason=lab.NO_BROWSER)

TINY = tiny_course.ASSIGNMENT
HIT = "window.hit = (window.hit || 0) + 1"
NAME = f'<img src=x onerror="{HIT}">'
OVER_THE_PAGE = "position:fixed;top:0;left:0;width:100%;height:100%;opacity:0.01;z-index:9999"
BUTTON = f'<div class="panel panel-primary nbgrader_cell"><button class="btn full-credit" style="{OVER_THE_PAGE}">x</button></div>'
SCRIPT = f"<script>{HIT}</script>{NAME}"
SHOW = "from IPython.display import display, HTML, Javascript, Markdown\n"
ATTACKS = {
    "raw": [new_raw_cell(BUTTON, metadata={"format": "text/html", "raw_mimetype": "text/html"})],
    "markdown": [new_markdown_cell(BUTTON + SCRIPT)],
    "heading": [new_markdown_cell("# test_double"), new_markdown_cell("test_double\n===\n\n> ## test_double")],
    "picture": [new_markdown_cell("![x](/logout) ![y](http://127.0.0.1:1/x) <img src='http://example.org/x.png'>")],
    "link": [new_markdown_cell(f"[a](javascript:{HIT.replace(' ', '')}) [b](/logout) <a href='/logout'>c</a>")],
    "output": [new_code_cell(f"{SHOW}display(HTML({BUTTON!r}), HTML({SCRIPT!r}), Javascript({HIT!r}))")],
    "display": [new_code_cell(f"{SHOW}display(Markdown({SCRIPT!r} + '\\n# test_double'))")],
    "mime": [
        new_code_cell(
            "from IPython.display import publish_display_data as show\n"
            f"for kind in ('text/html', 'image/svg+xml', 'application/javascript', 'text/latex', 'text/markdown'):\n"
            f"    show({{kind: {SCRIPT!r}, 'text/plain': {SCRIPT!r}}})\n"
            f"print({BUTTON!r})\nprint('\\x1b]8;;javascript:{HIT}\\x07click\\x1b]8;;\\x07')"
        )
    ],
    "style": [
        new_markdown_cell(f"<style>#test_double {{display: none}}</style><form action='/logout'>{BUTTON}</form>")
    ],
    "many": [
        new_markdown_cell(source)
        for source in (
            f"<details open ontoggle='{HIT}'>x</details>",
            f"<svg><animate onbegin='{HIT}' attributeName=x dur=1s>",
            f"<iframe srcdoc='<script>parent.{HIT}</script>'></iframe>",
            "<object data='/logout'></object><embed src='/logout'>",
            "<base href='/logout/'><meta http-equiv='refresh' content='0;url=/logout'>",
            "<link rel='stylesheet' href='/logout'>",
            "<p style='background:url(/logout)'>x</p>",
            "![x][1]\n\n[1]: /logout",
            f"[x](java&#115;cript:{HIT.replace(' ', '')})",
            f"<b\nonclick='{HIT}' style='{OVER_THE_PAGE}'>x</b>",
            "- # test_double\n- <input id='test_double' class='score' value='3'>",
            f"| a |\n|---|\n| {NAME} |",
            f"$x$ {NAME} $$y$$",
            "<img srcset='/logout 1x'><video poster='/logout'><audio src='/logout' autoplay>",
            f"<math><mtext><table><mglyph><style>{NAME}",
            "<textarea id='double-comment'>forged</textarea><label for='test_double'>x</label>",
        )
    ],
    "metadata": [new_markdown_cell("x", metadata={"tags": ["full-credit", '" onmouseover="' + HIT]})],
}


@pytest.fixture(scope="module")
def course(released_tiny_course, tmp_path_factory):
    """A class of attackers, graded, each with a wrong answer and a name that is markup."""
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("hostile") / "course")
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for student, cells in ATTACKS.items():
            path = tiny_course.submit(course, student, "def double(x):\n    return 0\n")
            nb = nbformat.read(path, as_version=4)
            nb.cells[3:3] = cells
            nbformat.write(nb, path)
            gradebook.update_or_create_student(student, first_name=NAME, last_name=f"{student}{NAME}")
        gradebook.update_or_create_student(f"eve'{NAME}", first_name="E", last_name="V")
    done = run(course, "proctor", "grade")
    assert f"{len(ATTACKS)} graded" in done.stdout, done.stdout
    return course


@pytest.fixture
def page(chromium, server):
    """Open a page, logged in; whatever a test does on it, no script of a student's runs and no address is fetched."""
    page = chromium.page(server)
    page.errors, page.asked = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    assert not page.evaluate("window.hit")
    assert page.errors == []
    assert not [address for address in page.asked if "logout" in address or address.endswith("/x")]
    page.context.close()
    assert chromium.elsewhere == []


OWN = ".nbgrader_cell > .panel-heading, nav"  # formgrader's own buttons, which do give points


def points_by_hand(course):
    """The manual points in the gradebook, by student and cell."""
    query = (
        "select student.id, base_cell.name, grade.manual_score from grade join base_cell on grade.cell_id = base_cell.id"
        " join submitted_notebook on grade.notebook_id = submitted_notebook.id"
        " join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id"
        " join student on submitted_assignment.student_id = student.id where grade.manual_score is not null"
    )
    connection = sqlite3.connect(course / "gradebook.db")
    try:
        return {(student, cell): points for student, cell, points in connection.execute(query)}
    finally:
        connection.close()


def open_submission(page, server, student):
    """Open a student's submission from the list of submissions."""
    page.goto(server.url(f"formgrader/gradebook/{TINY}/{TINY}"))
    page.locator("tr", has_text=f"{student}<img").locator("a.name-hidden").click()
    page.wait_for_selector("#test_double")


@pytest.mark.parametrize(
    "path",
    ["manage_students", "manage_students/raw", f"manage_students/raw/{TINY}", f"manage_submissions/{TINY}",
     f"gradebook/{TINY}/{TINY}", f"gradebook/{TINY}", "gradebook", "manage_assignments"],
)  # fmt: skip
def test_names_are_text_on_every_page(page, server, path):
    """In lists, tables and headings of formgrader."""
    page.goto(server.url(f"formgrader/{path}"))
    page.wait_for_selector("#main-table tr td:not(:has-text('Loading'))")
    assert page.locator("img[src=x]").count() == 0


def test_ids_are_text_where_they_are_shown(page, server):
    """Whoever came into the gradebook by whatever way: the page about a student shows the id as it is."""
    page.goto(server.url("formgrader/manage_students"))
    page.locator("a", has_text="V, E").click()
    page.wait_for_selector("li.active:has-text('eve')")
    assert page.locator("li.active").last.inner_text() == f"eve'{NAME}"


@pytest.mark.parametrize("student", ATTACKS)
def test_clicks_and_keys_do_what_they_say(page, server, course, student):
    """Clicking all over a submission gives no points, and typed points go where they are typed, and nowhere else."""
    before = points_by_hand(course)
    open_submission(page, server, student)
    assert page.locator("img[src=x]").count() == 0
    for x in range(200, 1200, 250):
        for y in range(150, 850, 175):
            if not page.evaluate(f"document.elementFromPoint({x}, {y})?.closest({OWN!r}) != null"):
                page.mouse.click(x, y)
    page.wait_for_load_state("networkidle")
    assert points_by_hand(course) == before
    assert page.url.split("?")[0].split("/")[-1] == "" or "formgrader/submissions" in page.url
    with page.expect_response(re.compile("/api/grade/")) as saved:
        page.fill("#test_double", "0.5")
        page.locator("#test_double").blur()
    assert saved.value.ok
    assert points_by_hand(course) == {**before, (student, "test_double"): 0.5}


def test_the_keyboard_works(page, server):
    """The first field is selected on opening, as formgrader's script does it once MathJax is done, and Tab goes on."""
    open_submission(page, server, "raw")
    page.wait_for_function("document.activeElement.classList.contains('tabbable')")
    first = page.evaluate("document.activeElement.id")
    page.keyboard.press("Tab")
    page.wait_for_function(f"document.activeElement.id !== {first!r}")
