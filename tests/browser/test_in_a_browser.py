"""Formgrader and JupyterLab as people use them: a real server, a real browser, and no network but this machine's."""

import re
import shutil

import axe
import lab
import nbformat
import pytest
import tiny_course
from commands import export, run, scores
from nbformat.v4 import new_code_cell

pytestmark = pytest.mark.skipif(lab.CHROMIUM is None, reason=lab.NO_BROWSER)

TINY = tiny_course.ASSIGNMENT
CUBE = "def double(x):\n    return x**3\n"
COMMENT = "Nearly: see me in the *break*."
ONE_POINT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = f"import base64\nfrom IPython.display import Image\nImage(base64.b64decode('{ONE_POINT}'))"
OURS = ("Exercise", "Canvas", "Moodle")
POINTS = ("score", "test_double", "test_double: test_values", "test_double: test_arrays")


@pytest.fixture(scope="module")
def course(released_tiny_course, tmp_path_factory):
    """A class of two, one right and one wrong, graded; and the release as a student's homework."""
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("browser") / "course")
    tiny_course.submit(course, "ada")
    path = tiny_course.submit(course, "bo", CUBE)
    nb = nbformat.read(path, as_version=4)
    nb.cells.insert(3, new_code_cell(PICTURE))
    nbformat.write(nb, path)
    done = run(course, "proctor", "grade")
    assert done.returncode == 0, done.stderr
    shutil.copy(course / "release" / TINY / f"{TINY}.ipynb", course / "homework.ipynb")
    return course


@pytest.fixture
def page(chromium, server):
    """Open a page, logged in; nothing on it may have asked the network for anything."""
    page = chromium.page(server)
    yield page
    page.context.close()
    assert chromium.elsewhere == []


def open_submission(page, server, score):
    """Open the submission with this score from formgrader's list."""
    page.goto(server.url(f"formgrader/gradebook/{TINY}/{TINY}"))
    page.locator("tr", has_text=score).locator("a.name-hidden").click()
    page.wait_for_selector("#test_double")


def row_of(page, server, student):
    """The student's row in formgrader's list of submissions."""
    page.goto(server.url(f"formgrader/manage_submissions/{TINY}"))
    return page.locator("tr", has=page.locator("td", has_text=re.compile(rf"^\s*{student}\s*$")))


def test_formgrader_shows_the_graded_assignment(page, server):
    """The list of assignments knows how many submissions there are, and theirs knows the points."""
    page.goto(server.url("formgrader"))
    assert page.locator("tr", has_text=TINY).locator("td.num-submissions").inner_text().strip() == "2"
    row_of(page, server, "ada").locator("text=3 / 3").wait_for()
    row_of(page, server, "bo").locator("text=0 / 3").wait_for()


def test_a_submission_opens_with_items_that_a_person_can_read(page, server):
    """Below the test cell stand what was asked, what came of it, and the hint."""
    open_submission(page, server, "0 / 3")
    table = page.locator("table", has_text="Twice the number, for any number.")
    assert table.is_visible()
    assert "not passed" in table.inner_text()
    assert "Is it twice the number?" in table.inner_text()
    assert page.locator("text=def double(x):").count() == 1


def test_a_submission_begins_with_what_is_graded(page, server):
    """Each exercise with its points, as a link; the result below each table is not shown twice; pictures have a text."""
    open_submission(page, server, "0 / 3")
    first = page.locator(".text_cell").first
    assert first.inner_text().split("\n\n") == ["Nothing waits for a person.", "test_double: 0 of 3"]
    first.locator("a").click()
    box = page.locator("#test_double").bounding_box()
    assert 50 < box["y"] < 900  # below the bar at the top
    assert page.locator(".output_prompt", has_text="Out").count() == 1  # the picture's
    picture = page.locator("#notebook img")
    assert picture.get_attribute("alt") == "Picture that cell 4 shows"
    assert picture.evaluate("image => getComputedStyle(image).borderTopWidth") == "0px"


def test_formgrader_can_be_read_and_used_with_the_keyboard(page, server):
    """Axe finds nothing serious on the pages of nbgrader's formgrader: contrast, names of fields, scrolling by key."""
    for path in ("", "/manage_students", f"/manage_submissions/{TINY}", f"/gradebook/{TINY}/{TINY}"):
        page.goto(server.url(f"formgrader{path}"))
        page.wait_for_selector("#main-table tr td:not(:has-text('Loading'))")
        assert axe.violations(page, *axe.SERIOUS) == [], path
    open_submission(page, server, "0 / 3")
    assert axe.violations(page, *axe.SERIOUS) == []


def test_axe_finds_what_is_wrong(page):
    """A pale word and a field without a name: otherwise the tests around this one would prove nothing."""
    page.set_content("<html><body><p style='color: #bbb; background: #fff'>pale</p><input></body></html>")
    found = " ".join(axe.violations(page, *axe.SERIOUS))
    assert all(rule in found for rule in ("color-contrast", "label", "html-has-lang"))


def test_the_autograde_button_grades_with_hidden_tests(page, server, course):
    """The button runs our pipeline in the server's process: who hands in again gets the new points."""
    tiny_course.submit(course, "dan", "def double(x):\n    return 2 * x if isinstance(x, int) else x\n")
    row_of(page, server, "dan").locator(".glyphicon-flash").click()
    page.locator("text=Successfully autograded").wait_for(timeout=180_000)
    assert scores(course)["dan"] == 2


def test_an_override_and_a_comment_survive_grading_again(page, server, course):
    """What a person enters in formgrader outlives ``proctor grade --force`` and reaches feedback and all exports."""
    open_submission(page, server, "0 / 3")
    with page.expect_response(re.compile("/api/grade/")) as saved:
        page.fill("#test_double", "1.5")
        page.locator("#test_double").blur()
    assert saved.value.ok
    with page.expect_response(re.compile("/api/comment/")) as saved:
        page.fill("#double-comment", COMMENT)
        page.locator("#double-comment").blur()
    assert saved.value.ok
    for command in (
        ["proctor", "grade", "--student", "bo", "--force"],
        ["nbgrader", "generate_feedback", TINY, "--student=bo", "--force"],
    ):
        done = run(course, *command)
        assert done.returncode == 0, done.stderr
    page.goto((course / "feedback/bo" / TINY / f"{TINY}.html").as_uri())
    assert "1.5 of 3 points" in page.locator("body").inner_text()
    assert page.locator("em", has_text="break").is_visible()
    assert axe.violations(page) == []
    places = page.locator("a[href], summary, [tabindex='0']").filter(visible=True).count()
    assert len(axe.reached_by_tab(page)) >= places > 3
    assert exported(course) == {
        "nbgrader.plugins.CsvExportPlugin": ["1.5"],
        "proctor.ExerciseExport": [
            "1.5",
            "1.5",
            "0.0",
            "0.0",
        ],  # the exercise is a person's, the tests are not
        "proctor.CanvasExport": ["1.5"],
        "proctor.MoodleExport": ["1.5", "double 1.5 of 3"],
    }
    open_submission(page, server, "1.5 / 3")
    page.wait_for_function("document.querySelector('#test_double').value === '1.5'")


def exported(course):
    """What each exporter has of bo's points."""
    found = {}
    for exporter in ("nbgrader.plugins.CsvExportPlugin", *(f"proctor.{name}Export" for name in OURS)):
        head, *lines = export(course, exporter, course / "out.csv", encoding="utf-8-sig")
        (line,) = (line for line in lines if "bo" in line)
        found[exporter] = [value for name, value in zip(head, line, strict=True) if name in POINTS or TINY in name]
    return found


def validate(page):
    """Press *Validate*, which saves the notebook first, and return what the dialog says."""
    page.get_by_role("button", name="Validate").click()
    dialog = page.locator(".jp-Dialog", has_text=re.compile("Success!|failed", re.IGNORECASE))
    dialog.wait_for(timeout=180_000)
    return dialog.inner_text()


def test_the_report_asks_the_network_for_nothing(page, course):
    """The class report is one file: opened from disk, it shows its plots."""
    done = run(course, "proctor", "report")
    assert done.returncode == 0, done.stderr
    page.goto((course / "reports" / TINY / "index.html").as_uri())
    assert axe.violations(page) == []
    widths = page.eval_on_selector_all("img", "images => images.map(image => image.naturalWidth)")
    assert widths
    assert all(widths)


@pytest.fixture
def homework(page, server):
    """Open the released notebook in JupyterLab."""
    page.goto(server.url("lab/tree/homework.ipynb"))
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    return page


def test_an_unsolved_notebook_fails_validation_with_our_messages(homework):
    """*Validate* in JupyterLab says what is missing, in the words of the stub."""
    assert "NotImplementedError: double" in validate(homework)


def test_a_student_solves_a_cell_and_validates(homework, course):
    """Typing the answer into the released notebook and pressing *Validate* ends in success."""
    homework.locator(".jp-Cell", has_text="def double(x):").first.locator(".cm-content").click()
    homework.keyboard.press("Control+a")
    homework.keyboard.type("double = lambda x: x + x")
    assert "Success! Your notebook passes all the tests." in validate(homework)
    saved = nbformat.read(course / "homework.ipynb", as_version=4)
    assert [c.source for c in saved.cells if c.metadata.nbgrader.grade_id == "double"] == ["double = lambda x: x + x"]
