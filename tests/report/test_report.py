"""The report tells an instructor how the class stands and what is left to do, whatever the class is like."""

import csv
import io
import os
import re

import graded_class
import nbformat
import pytest
import tiny_course
from commands import run
from graded_class import CONFIG, Graded, write_feedback
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook

from proctor.cli.main import main
from proctor.course import folders as courses
from proctor.errors import CourseError
from proctor.notebook.process import MAX_FLAGS
from proctor.records import graded as folders
from proctor.records import memory
from proctor.report import tables
from proctor.report.gather import gather
from proctor.report.page import late
from proctor.report.write import write
from proctor.results.flag import Flag

PASSED = Graded("ada", name=("Ada", "Lovelace"), email="ada@example.org")
FAILED = Graded("bo", ("failed", "failed"), ("Is it twice?", "Is it twice?"), name=("Bo", "Katz"))
HALF = Graded("cy", ("passed", "failed"), ("", "Look at `x`."), name=("Cy", "Berg"))
OPEN = Graded("di", ("undecided", "passed"), ("We could not tell.", ""))


def report_of(root, *results):
    graded_class.grade(root, *results)
    return gather(courses.load(root), "tiny")


def by_id(report):
    return {row.student.id: row for row in report.rows}


def written(root, report):
    folder = root / "reports" / "tiny"
    return write(report, folder).read_text(), folder


def lines_of(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_points_are_the_gradebooks(tiny):
    """A person's score stands before the tests', and the late penalty is taken off."""
    report = report_of(tiny, PASSED, Graded("bo", ("failed", "failed"), by_hand=2.5, late=30, penalty=1.0))
    rows = by_id(report)
    assert rows["ada"].total == 3.0
    assert rows["bo"].points == {"test_double": 2.5}
    assert rows["bo"].total == 1.5
    assert rows["bo"].by_hand == {"test_double"}
    assert late(rows["bo"].late) == "1 d 6 h"


def test_tests_have_rates_and_discrimination(tiny):
    """Undecided results are counted, and left out of the rate."""
    report = report_of(tiny, PASSED, FAILED, HALF, OPEN)
    values, arrays = report.tests
    assert (values.passed, values.failed, values.undecided) == (2, 1, 1)
    assert values.rate == pytest.approx(2 / 3)
    assert values.discrimination == pytest.approx(0.5)
    assert (arrays.passed, arrays.failed) == (2, 2)
    assert arrays.asked == "Works on arrays, too."


def test_messages_are_counted(tiny):
    """Students, not items; the most frequent first; what was said to nobody is not there."""
    more = Graded("ed", ("passed", "failed"), ("", "Look at `x`."))
    told = report_of(tiny, FAILED, HALF, PASSED, more).messages
    assert [(message.students, message.text, message.tests) for message in told] == [
        (2, "Look at `x`.", ("test_arrays",)),
        (1, "Is it twice?", ("test_values", "test_arrays")),
    ]


def test_everybody_has_a_status(tiny):
    """Graded, waiting for a person, new, broken, absent: each with the reason."""
    tiny_course.submit(tiny, "new")
    broken = tiny_course.submit(tiny, "broken")
    broken.write_text("no notebook")
    with Gradebook(f"sqlite:///{tiny}/gradebook.db", "custom-training") as book:
        book.add_student("absent")
    rows = by_id(report_of(tiny, PASSED, OPEN))
    assert {name: row.status for name, row in rows.items()} == {
        "ada": "graded",
        "di": "to review",
        "new": "to grade",
        "broken": "cannot be graded",
        "absent": "not handed in",
    }
    assert "submitted/broken/tiny/tiny.ipynb: not a notebook" in rows["broken"].why
    assert rows["di"].why == "test_double"
    assert rows["di"].flags == (Flag("undecided", "test_double"),)
    assert rows["absent"].total is None


def test_a_later_submission_is_to_be_graded(tiny):
    """Handed in again after grading: the points are shown, and are said to be old."""
    graded_class.grade(tiny, PASSED)
    path = tiny_course.submit(tiny, "ada", "def double(x):\n    return 0\n")
    remembered = memory.remembered_at(courses.load(tiny), "tiny", "ada")
    os.utime(path, (remembered + 10, remembered + 10))
    row = by_id(gather(courses.load(tiny), "tiny"))["ada"]
    assert (row.status, row.why, row.total) == ("to grade", "handed in again since it was graded", 3.0)


def test_changed_tests_are_said_on_the_page(tiny):
    """Points from before a change of the hidden tests carry a notice; without a change there is none."""
    before, _ = written(tiny, report_of(tiny, PASSED, FAILED))
    with (tiny / "grader_tests" / "tiny" / "test_double.py").open("a") as file:
        file.write("\n# a stricter limit\n")
    after, _ = written(tiny, gather(courses.load(tiny), "tiny"))
    assert "have changed since" not in before
    assert "have changed since 2 of 2 students" in after


def test_items_are_those_of_the_latest_grading(tiny):
    """Graded again by ``nbgrader autograde``: the notebook counts, not what proctor remembers from before."""
    graded_class.grade(tiny, FAILED)
    course = courses.load(tiny)
    old = memory.recall(course, "tiny", "bo")
    again = Graded("bo", ("passed", "failed"), ("", "Only this."))
    graded_class.grade(tiny, again)
    memory.remember(course, "tiny", old, "before")
    remembered = next((tiny / ".proctor" / "graded" / "tiny").glob("bo-*.json"))
    notebook = tiny / "autograded" / "bo" / "tiny" / "tiny.ipynb"
    os.utime(remembered, (notebook.stat().st_mtime - 10,) * 2)
    assert [message.text for message in gather(course, "tiny").messages] == ["Only this."]


FLAGGED = {
    Flag("ended kernel", "double"): "import os\nos._exit(1)",
    Flag("too slow", "double", seconds=3.0): "while True: pass",
    Flag("memory", "double"): "np.ones(10**12)",
    Flag("forbidden", "double"): "raise PermissionError(1, 'Operation not permitted')",
    Flag("file missing", "double"): "open('/answers/of/the/course')",
    Flag("file missing", "test_double", in_hidden_test=True): "def double(x): return open('/answers')",
    Flag("restored", "imports"): tiny_course.RIGHT,
}


def test_a_notebook_says_what_proctor_remembers(tiny):
    """Graded by ``nbgrader autograde``, or by ``proctor grade``: the report shows the same items and flags."""
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write("\nc.ProctoredExecute.cell_timeout = 3\n")
    for number, code in enumerate(FLAGGED.values()):
        tiny_course.submit(tiny, f"s{number}", code, imports="import numpy as np  # mine")
    flood = nbformat.read(tiny / "release/tiny/tiny.ipynb", as_version=4)
    flood.cells[2:2] = [new_code_cell("raise MemoryError") for _ in range(MAX_FLAGS + 5)]
    tiny_course.hand_in(tiny, "flood", flood)
    assert run(tiny, "proctor", "grade", "--allow-unsandboxed").returncode == 0
    course = courses.load(tiny)
    assert len(folders.items(course, "tiny", "flood").flags) == MAX_FLAGS
    for number, flag in enumerate(FLAGGED):
        remembered = folders.items(course, "tiny", f"s{number}")
        memory.forget(course, "tiny", f"s{number}")
        read = folders.items(course, "tiny", f"s{number}")
        assert (read.cells, read.flags) == (remembered.cells, remembered.flags)
        assert flag in read.flags


@pytest.mark.parametrize(
    "student",
    [
        "Zoë Ünal",
        "o'neil.j.",
        "a" * 120,
        "<script>alert(1)</script>"[:9],
        "=cmd|' !A0'",
        "+1",
        "@x",
        "-2+3",
        "$x_1^2$",
        "名前",
        "a%b",
    ],
)
def test_unusual_ids(tiny, student, inventory):
    """Page, tables and pictures come out, and the id is text in each of them."""
    report = report_of(tiny, Graded(student, flags=[Flag("memory", student)]), FAILED)
    page, folder = written(tiny, report)
    assert inventory(page).tags.count("script") == 1
    line = next(
        line for line in lines_of((folder / "students.csv").read_text()) if line["student_id"].endswith(student)
    )
    assert line["student_id"] == (f"'{student}" if student[0] in "=+-@" else student)
    assert float(line["total (3)"]) == 3.0


def test_names_are_text_everywhere(tiny, inventory):
    """A name is shown as it is on the page and runs nowhere, in a spreadsheet neither."""
    nasty = '=HYPERLINK("http://evil.example","x")'
    page, folder = written(tiny, report_of(tiny, Graded("x", name=("<b onclick=alert(1)>", nasty))))
    stock = inventory(page)
    assert not stock.handlers
    assert "&lt;b onclick" in page
    assert lines_of((folder / "students.csv").read_text())[0]["last_name"] == f"'{nasty}"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "\n=1"])
def test_csv_cells_are_no_formulas(text):
    """What a spreadsheet could run gets an apostrophe; numbers stay numbers."""
    row = list(csv.reader(io.StringIO(tables.to_csv(["a", "b"], [[text, -1.5]], bom=False), newline="")))[1]
    assert row == [f"'{text}", "-1.5"]


def test_two_students_with_one_name(tiny):
    """Both are there, told apart by their ids, and the page says so."""
    page, _ = written(tiny, report_of(tiny, Graded("a1", name=("Ada", "Li")), Graded("a2", name=("Ada", "Li"))))
    assert page.count("Li, Ada") >= 2
    assert "(a1)" in page
    assert "(a2)" in page
    assert "same name" in page


def test_no_grades_yet(tiny):
    """A report of nothing is a page with a word on it and empty tables."""
    tiny_course.submit(tiny, "ada")
    page, folder = written(tiny, gather(courses.load(tiny), "tiny"))
    assert "There are no grades yet" in page
    assert not list(folder.glob("*.png"))
    assert lines_of((folder / "students.csv").read_text())[0]["status"] == "to grade"


def test_no_gradebook_yet(tmp_path):
    """A course that nbgrader has never seen gets a report, and no gradebook by it."""
    root = tiny_course.make(tmp_path / "course")
    page, _ = written(root, gather(courses.load(root), "tiny"))
    assert "There are no grades yet" in page
    assert not (root / "gradebook.db").exists()


def test_in_the_gradebook_without_files(tiny):
    """Points of a submission whose files are gone stay in the report."""
    graded_class.grade(tiny, PASSED)
    for folder in ("submitted", "autograded"):
        (tiny / folder / "ada").rename(tiny / f"moved-{folder}")
    row = by_id(gather(courses.load(tiny), "tiny"))["ada"]
    assert (row.status, row.total, row.why) == ("graded", 3.0, "its files are no longer in submitted/")


def test_unknown_assignment(tiny, monkeypatch, capsys):
    """A clear line with the names that there are, and the exit status of wrong usage."""
    with pytest.raises(CourseError, match="no assignment 'nothing'"):
        gather(courses.load(tiny), "nothing")
    monkeypatch.chdir(tiny)
    assert main(["report", "nothing"]) == 2
    assert "there are: tiny" in capsys.readouterr().err


def test_the_command_writes_everything(tiny):
    """``proctor report`` in the course's folder: one page, three tables, two pictures, and what is left to do."""
    graded_class.grade(tiny, PASSED, HALF, OPEN)
    done = run(tiny, "proctor", "report")
    assert done.returncode == 0, done.stderr
    assert "2 graded, 1 to review" in done.stdout
    names = {path.name for path in (tiny / "reports" / "tiny").iterdir()}
    pictures = {"total.png", "exercises.png"}
    assert names == {"index.html", "students.csv", "tests.csv", "messages.csv", *pictures}


def test_feedback_is_followed_to_the_student(tiny, tmp_path):
    """To write; written; old after a person changed the score; to release and released where the exchange is used."""
    (tmp_path / "exchange").mkdir()
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write(f'{CONFIG}\nc.Exchange.root = "{tmp_path}/exchange"\n')

    def state():
        return by_id(gather(courses.load(tiny), "tiny"))["bo"].feedback

    graded_class.grade(tiny, FAILED)
    assert state() == "to write"
    page = write_feedback(tiny, "bo")
    assert state() == "written"
    (page.parent / "submission_secret.txt").write_text("secret")
    (page.parent / "timestamp.txt").write_text("2026-11-01 11:00:00 UTC")
    assert state() == "to release"
    assert run(tiny, "nbgrader", "release_feedback", "tiny").returncode == 0
    assert state() == "released"
    graded_class.grade(tiny, Graded("bo", ("failed", "failed"), by_hand=1.0))
    os.utime(page, None)
    assert state() == "to write"


def test_what_is_to_be_done_comes_first(tiny):
    """With how many, who, and the command; what is done is not on the list."""
    tiny_course.submit(tiny, "new")
    page, _ = written(tiny, report_of(tiny, PASSED, OPEN))
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == ["What is to be done", "Where the class stands", "What it got wrong", "Students"]
    tasks = page[page.index("What is to be done") : page.index("Where the class stands")]
    assert re.findall(r"<strong>(\d+)</strong> ([\w ]+)", tasks) == [
        ("1", "to grade"),
        ("1", "to be looked at by a person"),
        ("1", "with feedback to write"),
    ]
    assert "<code>proctor grade tiny</code>" in tasks
    assert "cannot be graded" not in tasks


def test_nothing_to_be_done(tiny):
    """That is said, too; and not while points are from before a change of the tests."""
    graded_class.grade(tiny, PASSED)
    write_feedback(tiny, "ada")
    page, _ = written(tiny, gather(courses.load(tiny), "tiny"))
    assert "<p>Nothing: everybody" in page
    with (tiny / "grader_tests" / "tiny" / "test_double.py").open("a") as file:
        file.write("\n# a stricter limit\n")
    page, _ = written(tiny, gather(courses.load(tiny), "tiny"))
    assert "<p>Nothing: everybody" not in page
    assert "<strong>1</strong> to grade again" in page


def test_a_row_opens_what_a_student_got_wrong(tiny):
    """Each message once, with the exercise and the number of its tests."""
    page, _ = written(tiny, report_of(tiny, PASSED, FAILED, HALF))
    rows = re.findall(r"<tr><td><span class=\"id\">.*?</tr>", page[page.index('id="students"') :], re.DOTALL)
    opened = {row[row.index("(") + 1 :][:2]: row.partition("<details>")[2] for row in rows}
    assert opened["ad"] == ""
    assert "<summary>2 not passed</summary>" in opened["bo"]
    assert opened["bo"].count("Is it twice?") == 1
    assert "<strong>double</strong> (2 tests): Is it twice?" in opened["bo"]
    assert "Look at <code>x</code>." in opened["cy"]


def test_messages_that_one_student_got_fold_away(tiny):
    """What several were told stands in the open."""
    more = Graded("ed", ("passed", "failed"), ("", "Look at `x`."))
    page, _ = written(tiny, report_of(tiny, FAILED, HALF, more))
    told = page[page.index("What students were told") : page.index("<h2>Students</h2>")]
    in_the_open, folded = told.split("<details>")
    assert "Look at <code>x</code>." in in_the_open
    assert "Is it twice?" not in in_the_open
    assert "1 message that one student got" in folded
    assert "Is it twice?" in folded


def test_attempts_and_times_are_there(tiny, tmp_path):
    """Nbgrader's exchange keeps each submission; points by time are drawn once there are three times."""
    inbox = tmp_path / "exchange" / "custom-training" / "inbound"
    for time in ("2026-11-01 09:00:00 UTC", "2026-11-01 10:00:00 UTC"):
        (inbox / f"ada+tiny+{time}+x").mkdir(parents=True)
    (inbox / "bo+tiny2+2026-11-01 09:00:00 UTC").mkdir()
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write(f'\nc.Exchange.root = "{tmp_path}/exchange"\n')
    late = Graded("di", ("failed", "failed"), ("a", "b"), late=5)
    report = report_of(tiny, PASSED, Graded("bo", late=-3), late)
    rows = by_id(report)
    assert {name: row.attempts for name, row in rows.items()} == {"ada": 2, "bo": 0, "di": 0}
    page, folder = written(tiny, report)
    assert (folder / "time.png").is_file()
    assert "Attempts" in page
    line = {line["student_id"]: line for line in lines_of((folder / "students.csv").read_text())}["ada"]
    assert (line["attempts"], line["handed_in"]) == ("2", "2026-11-01 11:00:00")


def test_columns_that_say_nothing_are_not_there(tiny):
    """Nobody late, no exchange, nothing undecided: no columns for them, and no picture of a single time."""
    page, folder = written(tiny, report_of(tiny, PASSED, HALF))
    assert not {"Late", "Attempts", "Undecided"} & set(re.findall(r'<th scope="col"[^>]*>(\w+)', page))
    assert not (folder / "time.png").exists()


def test_a_wide_table_shows_that_it_scrolls(tiny, browser):
    """On a phone there is a shadow at the side where more is, and the keyboard reaches it."""
    _, folder = written(tiny, report_of(tiny, PASSED, FAILED, HALF))
    page = browser.new_page(viewport={"width": 360, "height": 700})
    page.goto((folder / "index.html").as_uri())
    table = page.get_by_role("region", name="Students")
    assert table.evaluate("one => one.scrollWidth > one.clientWidth")
    at_the_right = "one => getComputedStyle(one).backgroundAttachment"
    assert table.evaluate(at_the_right) == "local, local, scroll, scroll"
    table.focus()
    page.evaluate("""() => { window.moved = new Promise(done => {
        document.activeElement.addEventListener("scroll", event => done(event.target.scrollLeft));
        setTimeout(done, 20_000, 0);
    }) }""")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("window.moved") > 0


def test_the_page_needs_no_network(tiny, inventory):
    """Pictures, styles and script are inside; no address of another machine anywhere."""
    page, _ = written(tiny, report_of(tiny, PASSED, FAILED))
    stock = inventory(page)
    assert all(address.startswith("data:image/png;base64,") for address in stock.loads)
    assert not re.search(r"@import|url\(|https?://", page)


def test_paper_has_every_column(tiny, browser):
    """Printed on A4, nothing sticks out of the page or is cut off, not even long ids and flags."""
    long = Graded(
        "a" * 120, ("failed", "passed"), ("word" * 40, ""), [Flag("memory", "1 " + "x" * 80)], ("Ada" * 20, "B" * 60)
    )
    others = [Graded(f"s{number}") for number in range(4)]  # so many that a list of them is folded
    _, folder = written(tiny, report_of(tiny, long, FAILED, HALF, *others))
    page = browser.new_page(viewport={"width": 703, "height": 1000})  # 210 mm without 12 mm at each side
    page.goto((folder / "index.html").as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    widths = page.eval_on_selector_all(".wide", "tables => tables.map(one => one.scrollWidth - one.clientWidth)")
    assert max(widths) <= 0
    assert page.locator("#search").is_hidden()
    assert page.locator("td", has_text="cell 1 x").is_visible()
    assert page.locator("text=7 with feedback to write").is_visible()


def test_the_page_sorts_and_searches_in_a_browser(tiny, browser):
    """A click on a head sorts, words filter, and nothing is asked of any network."""
    _, folder = written(tiny, report_of(tiny, PASSED, FAILED, HALF))
    page = browser.new_page()
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((folder / "index.html").as_uri())
    page.click("#students th button >> text=Total")
    totals = page.locator("#students tbody tr td:nth-child(3)").all_inner_texts()
    assert [total.strip() for total in totals] == ["0", "2", "3"]
    page.click("#students th button >> text=Total")
    totals = page.locator("#students tbody tr td:nth-child(3)").all_inner_texts()
    assert [total.strip() for total in totals] == ["3", "2", "0"]
    page.fill("#search", "KATZ bo")
    assert page.locator("#students tbody tr:visible").count() == 1
    assert page.inner_text("#found") == "1 of 3"
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []
