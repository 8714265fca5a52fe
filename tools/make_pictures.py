"""Make the pictures in docs/images: the real things, in a real browser, of the sample class. Run by `make pictures`.

Works in a copy of the course; what is graded here does not touch your gradebook.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import lab  # noqa: E402
import real_course  # noqa: E402

IMAGES = ROOT / "docs" / "images"
NAME = real_course.ASSIGNMENT
STUDENT = "sample-dora"  # one exercise wrong in a way that the hints recognise
SUM = "    return tf.reduce_sum(tf.square(predicted_y - target_y))"  # what the notebook's picture shows
ALONE = """() => ["left", "right"].forEach(side => {
    const {commands, shell} = window.jupyterapp;
    side === "left" ? shell.collapseLeft() : shell.collapseRight();
    commands.execute("application:toggle-side-tabbar", {side});
})"""  # the notebook without the bars at its sides
LIMIT = 300_000  # bytes of one picture


def main() -> None:
    """Grade the sample class in a copy of the course and take all pictures."""
    if lab.CHROMIUM is None:
        sys.exit(lab.NO_BROWSER)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        course = real_course.copy(Path(folder) / "course")
        for command in (
            ["nbgrader", "generate_assignment", NAME, "--create", "--force", "--log-level=WARN"],
            ["nbgrader", "db", "assignment", "add", NAME, "--duedate=2099-01-31 23:59:00 UTC"],
            ["proctor", "grade", NAME],
            ["nbgrader", "generate_feedback", NAME, "--log-level=ERROR"],
            ["proctor", "report", NAME],
        ):
            subprocess.run(command, cwd=course, check=True, stdout=subprocess.DEVNULL)
        _write_half_done(course)
        with lab.running(course, Path(folder) / "home") as server, lab.browser() as browser:
            take_notebook(browser, server)
            take_formgrader(browser, server)
            take_feedback(browser, course)
            take_report(browser, course)
            assert not browser.elsewhere, browser.elsewhere
    for path in sorted(IMAGES.glob("*.png")):
        size = path.stat().st_size
        print(f"{path.relative_to(ROOT)}  {size / 1000:.0f} kB")
        assert size < LIMIT, f"{path} is too large"


def _write_half_done(course: Path) -> None:
    """The release with a wrong loss, as a student has it on the way."""
    nb: Any = nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "loss":
            head = cell.source[: cell.source.rindex('"""') + 4]
            cell.source = f"{head}{SUM}"
    nbformat.write(nb, course / "custom_training_basics.ipynb")


def take_notebook(browser: Any, server: lab.Lab) -> None:
    """Task 1 with a wrong answer, and what its check says."""
    page = browser.page(server, 960, 1012)
    page.goto(server.url(f"doc/tree/{NAME}.ipynb"))
    lab.run_all(page)
    page.evaluate(ALONE)
    page.wait_for_selector("text=this looks like the sum", timeout=120_000)
    _to_top(page.locator("h2", has_text="Task 1"))
    page.screenshot(path=IMAGES / "notebook.png")


def take_formgrader(browser: Any, server: lab.Lab) -> None:
    """A submission in formgrader, at an exercise that lost points."""
    page = browser.page(server, 1180, 900)
    page.goto(server.url(f"formgrader/gradebook/{NAME}/{NAME}"))
    page.locator("tr", has_text=STUDENT).locator("a.name-hidden").click()
    page.wait_for_load_state("networkidle")
    page.locator("#notebook a", has_text="test_apply_gradients").first.click()  # of the overview
    page.wait_for_timeout(500)  # the page settles
    page.screenshot(path=IMAGES / "formgrader.png")


def _to_top(place: Any) -> None:
    place.evaluate("element => element.scrollIntoView()")
    place.page.wait_for_timeout(500)  # the page settles


def take_feedback(browser: Any, course: Path) -> None:
    """The upper part of a student's page."""
    page = browser.page(width=900, height=1000)
    page.goto((course / "feedback" / STUDENT / NAME / f"{NAME}.html").as_uri())
    page.screenshot(path=IMAGES / "feedback.png")


def take_report(browser: Any, course: Path) -> None:
    """The upper part of the class report."""
    page = browser.page(width=1180, height=1300)
    page.goto((course / "reports" / NAME / "index.html").as_uri())
    page.screenshot(path=IMAGES / "report.png")


if __name__ == "__main__":
    main()
