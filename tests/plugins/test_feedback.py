"""The page that a student gets back says everything that helps, and nothing else."""

import base64
import io
import re
import shutil

import graded_class
import nbformat
import pytest
import tiny_course
from commands import run
from graded_class import CELL, CONFIG, Graded, write_feedback
from markupsafe import escape
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader.api import Gradebook

from proctor.course import folders as courses
from proctor.feedback import sentences
from proctor.feedback.page import make_page
from proctor.plugins.feedback import TEMPLATES, FeedbackExporter
from proctor.render import words
from proctor.render.cell_outputs import as_outputs, with_code
from proctor.results import in_notebook
from proctor.results.fault import Fault
from proctor.results.flag import Flag
from proctor.results.verdict import CellVerdict, Item


def text(page):
    """What a reader sees, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index("<body>") :]))


def png(width=4):
    """A picture in base64."""
    figure, out = Figure(figsize=(width, 3)), io.BytesIO()
    figure.subplots().plot([1, 3, 2])
    figure.savefig(out)
    return base64.b64encode(out.getvalue()).decode()


HALF = Graded("ada", ("passed", "failed"), ("", "Is `x` an array?"))


def test_it_says_points_items_and_where_to_look(feedback):
    """Score at the top and by exercise; each item with its mark, what was asked, its points and its hint."""
    page = feedback(HALF)
    seen = text(page)
    assert "2 of 3 points" in seen
    assert "✓ passed" in seen
    assert "✗ not passed" in seen
    assert "Twice the number, for any number." in seen
    assert "2 / 2" in seen
    assert "0 / 1" in seen
    assert "Is <code>x</code> an array?" in page


def test_it_shows_the_students_code_and_plots(feedback):
    """Code as the student wrote it, a plot and what was printed."""
    picture = png()
    outputs = [new_output("display_data", {"image/png": picture}), new_output("stream", name="stdout", text="seen\n")]
    page = feedback(Graded("ada", solution="def double(x):\n    return x + x  # mine", outputs=outputs))
    assert "return x + x # mine" in text(page)
    assert f"data:image/png;base64,{picture}".replace("\n", "") in page
    assert "seen" in text(page)


def test_it_shows_visible_checks_and_hides_hidden_ones(feedback):
    """Of a test cell the student sees the part that was visible before, folded, and no trace of the rest."""
    page = feedback(HALF)
    assert "double(2) should be 4" in text(page)
    assert "the visible checks said this" in page
    for hidden in ("HIDDEN TESTS", "run_hidden_tests", "test_double.py", "reference", "SECRET", "import proctor"):
        assert hidden not in page
    assert "<details><summary>The checks that you could see" in page


def test_hidden_asserts_of_other_engines_stay_hidden():
    """A cell with its hidden tests inside shows neither them nor the error that names their values."""
    cell = new_code_cell("assert f(1) == 2\n### BEGIN HIDDEN TESTS\nassert f(41) == 42\n### END HIDDEN TESTS")
    cell.outputs = [new_output("error", ename="AssertionError", evalue="41", traceback=["assert f(41) == 42"])]
    cell.metadata["nbgrader"] = {"grade": True, "grade_id": "t", "points": 1, "score": 0, "locked": True}
    about = {"notebook": "n", "student": "s", "score": 0, "max_score": 1, "late_penalty": 0}
    shown = make_page(nbformat.v4.new_notebook(cells=[cell]), about).cells[0]
    assert "42" not in f"{shown.source}{shown.outputs}"
    assert "41" not in f"{shown.source}{shown.outputs}"
    assert shown.source


def test_an_unfinished_hidden_region_stays_hidden():
    """Without its end mark, everything from the begin mark on is left out."""
    cell = new_code_cell("visible = 1\n### BEGIN HIDDEN TESTS\nassert answer == 42")
    about = {"notebook": "n", "student": "s", "score": 0, "max_score": 1, "late_penalty": 0}
    shown = make_page(nbformat.v4.new_notebook(cells=[cell]), about).cells[0]
    assert "42" not in shown.source
    assert "visible" in shown.source


def test_a_persons_score_comment_and_the_penalty_are_on_it(feedback, tiny):
    """What an instructor changed or wrote in formgrader, and points off for being late."""
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write('\nc.AssignLatePenalties.plugin_class = "proctor.PercentPerDay"\n')
    page = feedback(Graded("ada", ("failed", "failed"), by_hand=2.5, comment="Nearly *there*", late=30, penalty=0.5))
    seen = text(page)
    assert "2 of 3 points" in seen
    assert "set this score by hand" in seen
    assert "The checks alone gave 0 of 3" in seen
    assert "<em>there</em>" in page
    assert "Handed in late" in seen
    assert "\N{MINUS SIGN}0.5" in seen


def test_undecided_is_not_the_students_fault(feedback):
    """An item that could not be checked is said to wait for a person, with neither mark of failure nor success."""
    seen = text(feedback(Graded("ada", ("undecided", "passed"), ("We could not tell.", ""))))
    assert "? not decided yet" in seen
    assert "not your mistake" in seen
    assert "not passed" not in seen


@pytest.mark.parametrize("student", ["Zoë Ünal", "o'neil.j.", "a" * 120, "=cmd|' !A0'", "<b onclick=x>", "名前", "a%b"])
def test_unusual_ids(feedback, inventory, student):
    """A page is written into the student's folder, and the id on it is text."""
    page = feedback(Graded(student, ("passed", "failed"), ("", "Look."), name=("Ada", "Li")))
    assert f"Ada Li ({escape(student)}) · handed in 1 November 2026, 11:00 UTC" in page
    assert "2 of 3 points" in text(page)
    assert not inventory(page).handlers


def test_two_of_one_name_and_neighbours_of_whom_nothing_is_there(tiny):
    """Each gets the own page; who has not handed in, or whose files are gone, costs nobody else theirs."""
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write(CONFIG)
    twins = [Graded("li1", name=("Ada", "Li")), Graded("li2", ("failed", "failed"), name=("Ada", "Li"))]
    graded_class.grade(tiny, *twins, Graded("gone"))
    shutil.rmtree(tiny / "autograded/gone")
    with Gradebook(f"sqlite:///{tiny}/gradebook.db", "custom-training") as book:
        book.add_student("absent")
    done = run(tiny, "nbgrader", "generate_feedback", "tiny")
    assert done.returncode == 0, done.stderr
    pages = {path.parts[-3]: text(path.read_text()) for path in (tiny / "feedback").rglob("*.html")}
    assert {name: "3 of 3 points" in page for name, page in pages.items()} == {"li1": True, "li2": False}


def test_a_page_keeps_to_the_tests_that_it_was_graded_with(feedback, tiny):
    """Hidden tests that have changed since then change neither the items on the page nor the score."""
    before = text(feedback(HALF))
    tests = tiny / "grader_tests/tiny/test_double.py"
    tests.write_text(tests.read_text().replace("Twice the number, for any number.", "Something else."))
    assert text(write_feedback(tiny, "ada").read_text()) == before


def test_before_grading_there_is_no_page(tiny):
    """Nbgrader says what it looked for, in one line, and writes nothing."""
    tiny_course.submit(tiny, "ada")
    with courses.working_directory(tiny):
        done = courses.load(tiny).api().generate_feedback("tiny")
    assert not done["success"]
    assert "No notebooks were matched by" in done["log"]
    assert not list((tiny / "feedback").rglob("*.html"))


def test_what_stopped_a_cell_is_noted(feedback):
    """A student learns that a cell was too slow, in plain words, and a click leads to it, with or without a name."""
    slow, ended = Flag("too slow", "double", seconds=30.0), Flag("ended kernel", "6")
    page = feedback(Graded("ada", flags=[slow, ended], cells=[new_code_cell("exit_now = True")]))
    assert f'{sentences.note(slow)} <a href="#cell-3">See the cell</a>' in page
    assert f'{with_code(sentences.note(ended))} <a href="#cell-6">See the cell</a>' in page
    assert "double" in page[page.index('id="cell-3"') : page.index('id="cell-5"')]
    assert "exit_now" in page[page.index('id="cell-6"') :]
    assert "kernel" not in text(page)


def test_what_only_an_instructor_needs_is_not_noted(feedback):
    """A machine without a protection, or a test that went wrong, is no business of a student's."""
    page = feedback(Graded("ada", flags=[Flag("unsandboxed", names=("read files",)), Flag("contradiction", CELL)]))
    assert "read files" not in page
    assert "visible checks fail" not in page


def page_of(*verdicts, **about):
    """The page of a notebook with these verdicts, one exercise each."""
    cells = []
    for verdict in verdicts:
        marks = {"grade": True, "grade_id": verdict.grade_id, "points": verdict.max_points, "score": verdict.points}
        cells.append(new_code_cell("check()", metadata={"nbgrader": {**marks, "locked": True}}))
        cells[-1].outputs = as_outputs(verdict)
    earned, most = sum(one.points for one in verdicts), sum(one.max_points for one in verdicts)
    about = {"notebook": "n", "student": "s", "score": earned, "max_score": most, "late_penalty": 0} | about
    return FeedbackExporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells), {"nbgrader": about})[0]


def verdict(name, *items):
    return CellVerdict(
        name, float(len(items)), tuple(Item(f"test_{n}", f"Asked {n}.", 1.0, *item) for n, item in enumerate(items))
    )


def test_what_is_not_written_yet_is_said_once_and_calmly():
    """A function that is still a stub costs its points without a red box, and what else needs it waits for it."""
    stub = ("failed", Fault("unwritten", function="train"), "Put your code there.")
    page = page_of(verdict("test_train", stub, stub), verdict("test_run", stub, stub, stub))
    seen = text(page)
    assert "Not written yet: train still has its raise NotImplementedError line." in seen
    assert "This waits for train , which is not written yet" in seen
    assert "not passed" not in seen
    assert "Put your code there" not in seen
    assert "0 of 5 points" in seen
    assert "Asked 0." in seen


def test_a_stub_among_other_mistakes_is_one_of_them():
    """If anything else is to be said, the items say it."""
    stub = ("failed", Fault("unwritten", function="train"), "")
    seen = text(page_of(verdict("test_train", stub, ("passed",)), verdict("test_run", stub, ("failed", None, "Look."))))
    assert "Not written yet" not in seen
    assert "train is not written yet." in seen
    assert "Look." in seen


def test_one_error_is_said_once_on_a_page():
    """Above the items that it cost; in a later exercise, a link leads to where it was said."""
    error = ("failed", Fault("raised", "TypeError", function="train", line=3), "A gradient is None.")
    page = page_of(verdict("test_train", error, ("passed",), error), verdict("test_run", error))
    assert page.count("raised TypeError") == 1
    first = text(page)[text(page).index("Your code raised") :]
    assert (
        first.index("A gradient is None.") < first.index("Asked 0.") < first.index("Asked 2.") < first.index("Asked 1.")
    )
    assert 'The same as in <a href="#exercise-1">train</a>' in page[page.index('id="exercise-2"') :]


def test_undecided_is_said_in_each_exercise():
    """It is not one mistake of the student's that comes up again."""
    page = page_of(verdict("test_a", ("undecided",)), verdict("test_b", ("undecided",)))
    assert page.count(words.UNDECIDED) == 2


def test_full_points_deserve_a_word(feedback):
    """But nothing else does, nor full points that are not final."""
    assert "well done" in text(page_of(verdict("test_a", ("passed",))))
    assert "well done" not in text(page_of(verdict("test_a", ("passed",), ("failed", None, "Look."))))
    assert "well done" not in text(page_of(score=0, max_score=0))


def test_the_course_says_what_to_do_with_questions(feedback, tiny):
    """A line of Markdown in its configuration, on every page; without it there is none."""
    assert 'class="questions"' not in feedback(HALF)
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write('\nc.FeedbackExporter.questions = "Questions? Come on *Monday*."\n')
    assert "Questions? Come on <em>Monday</em>." in write_feedback(tiny, "ada").read_text()


def test_what_was_done_to_the_notebook_is_told(feedback):
    """Notes about the notebook as a whole stand above it."""
    nb = nbformat.v4.new_notebook(cells=[new_code_cell("1")])
    in_notebook.add_flags(nb.metadata, [Flag("matched", names=("a",)), Flag("restored", "1"), Flag("unsandboxed")])
    page = make_page(nb, {"notebook": "n", "student": "s", "score": 0, "max_score": 0, "late_penalty": 0})
    assert [flag.kind for flag in page.notes] == ["matched", "restored"]


def test_paper_has_the_notebook_only_if_it_is_asked_for(feedback, browser, tmp_path):
    """Points, items and comments are printed; a tick prints the notebook, too."""
    file = tmp_path / "page.html"
    file.write_text(feedback(HALF))
    page = browser.new_page()
    page.goto(file.as_uri())
    page.emulate_media(media="print")
    assert page.locator("text=Twice the number").is_visible()
    assert not page.locator("#notebook").is_visible()
    page.emulate_media(media="screen")
    page.get_by_label("Print the notebook, too").check()
    page.emulate_media(media="print")
    assert page.locator("#notebook").is_visible()
    assert not page.get_by_label("Print the notebook, too").is_visible()


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "handler": "<img src=x onerror=alert(1)>",
    "link": "[click](javascript:alert(1)) <a href='JaVaScRiPt:alert(1)'>x</a> [d](data:text/html,<script>1</script>)",
    "remote picture": "![x](https://evil.example/x.png) <img src='//evil.example/y.png'>",
    "frame": "<iframe src='https://evil.example'></iframe><object data='x'></object><embed src='y'>",
    "style": "<style>@import url(https://evil.example/a.css); body {display: none}</style>",
    "style attribute": "<p style='background: url(https://evil.example/b.png); position: fixed'>x</p>",
    "form": "<form action='https://evil.example'><button formaction='javascript:alert(1)'>x</button></form>",
    "refresh": "<meta http-equiv=refresh content='0; url=https://evil.example'><base href='https://evil.example'>",
    "svg": "<svg onload=alert(1)><script>alert(1)</script></svg><math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "code in a paragraph": "<p>\n    <script>alert(1)</script>\n</p>",
    "unclosed": "</main></body></html><script>alert(1)",
    "attachment": "![x](attachment:evil.svg) ![y](attachment:nowhere.png)",
}  # fmt: skip


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("place", ["markdown", "comment", "code", "stdout", "error", "metadata", "raw"])
def test_students_text_can_do_nothing(source, place, inventory):
    """Wherever it stands, it is shown or dropped; it never runs, loads or navigates."""
    page = inventory(_page_with(source, place))
    assert not {"script", "iframe", "object", "embed", "form", "base", "svg", "math", "link"} & set(page.tags)
    assert page.tags.count("style") == 1
    assert page.tags.count("main") == 1
    assert page.tags.count("meta") == 5
    assert not page.handlers
    assert all(address.startswith("data:image/png;base64,") for address in page.loads)
    assert all(address.startswith(("#", "https://", "http://", "mailto:")) for address in page.links)


def _page_with(source, place):
    picture = {"image/png": base64.b64encode(b"\x89PNG" + source.encode()).decode(), "text/plain": source}
    code = new_code_cell("1")
    cells = {
        "markdown": new_markdown_cell(
            source, attachments={"evil.svg": {"image/svg+xml": "PHN2Zy8+", "text/html": source}}
        ),
        "comment": new_code_cell("1", metadata={"nbgrader": {"comment": source, "solution": True, "grade_id": source}}),
        "code": new_code_cell(source),
        "raw": nbformat.v4.new_raw_cell(source, metadata={"raw_mimetype": "text/html"}),
    }
    code.outputs = {
        "stdout": [new_output("stream", name="stdout", text=source)],
        "error": [new_output("error", ename=source, evalue=source, traceback=[f"\x1b[31m{source}\x1b[0m"])],
        "metadata": [new_output("display_data", picture, metadata={"image/png": {"alt": f'"{source}', "width": source}})],
    }.get(place, [])  # fmt: skip
    graded = new_code_cell("1", metadata={"nbgrader": {"grade": True, "grade_id": source, "points": 1, "score": 1}})
    nb = nbformat.v4.new_notebook(cells=[cells.get(place, code), graded], metadata={"title": source})
    about = {"notebook": "n", "student": source, "score": 1.0, "max_score": 1.0, "late_penalty": 0.0}
    return FeedbackExporter().from_notebook_node(nb, {"nbgrader": about})[0]


def test_a_flood_stays_below_one_megabyte(feedback):
    """However much a notebook wrote, its page stays small and says that something is left out."""
    outputs = [new_output("stream", name="stdout", text="<&\x1b[31m" * 60_000)]
    outputs += [new_output("display_data", {"image/png": png(width)}) for width in range(4, 12)] * 8
    cells = [new_markdown_cell("word " * 50_000), new_code_cell("x = 1\n" * 50_000)]
    page = feedback(Graded("ada", outputs=outputs, cells=cells))
    assert len(page.encode()) < 1_000_000
    assert "more characters left out" in page
    assert "this page would be too large" in page
    assert "return 2 * x" in text(page)
    assert "3 of 3 points" in text(page)


def test_it_needs_no_network(feedback, inventory):
    """No address of another machine anywhere but in links to click on; no script at all."""
    page = feedback(HALF)
    stock = inventory(page)
    assert "script" not in stock.tags
    assert "link" not in stock.tags
    assert not [address for address in stock.loads if not address.startswith("data:")]
    assert not re.search(r"@import|url\(|https?://", page)


def test_it_has_a_phones_width(feedback, browser, tmp_path):
    """At 360 pixels nothing sticks out to the side, and nothing is asked of any network."""
    file = tmp_path / "page.html"
    table = new_markdown_cell(f"| {'head' * 50} | b |\n|---|---|\n| {'cell' * 50} | d |")
    long = Graded("ada", ("passed", "failed"), ("", "word" * 100), solution="x = 1" * 200, cells=[table])
    file.write_text(feedback(long))
    page = browser.new_page(viewport={"width": 360, "height": 700})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


# Text and ground, as the browser paints them, of all text on a page.
PAINTED = """() => {
    const numbers = colour => colour.match(/[0-9.]+/g).map(Number);
    document.querySelectorAll("details").forEach(details => details.open = true);
    const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
        if (!text || !element.checkVisibility() || element.closest("script, style")) continue;
        let ground = [255, 255, 255], above = [];
        for (let one = element; one; one = one.parentElement) above.unshift(one);
        for (const one of above) {
            const [r, g, b, alpha = 1] = numbers(getComputedStyle(one).backgroundColor);
            ground = ground.map((old, i) => old * (1 - alpha) + [r, g, b][i] * alpha);
        }
        found.push([text, numbers(getComputedStyle(element).color).slice(0, 3), ground]);
    }
    return found;
}"""


def test_every_text_on_the_page_has_enough_contrast(feedback, browser, tmp_path):
    """As painted by a browser, in whatever colours a terminal's text asks for: 4.5 to 1 (WCAG AA)."""
    colours = "".join(f"\x1b[{code}m{code} \x1b[0m" for code in [*range(30, 38), *range(90, 98), 41, "1;33"])
    colours += "".join(f"\x1b[38;5;{number}m{number} \x1b[0m" for number in range(0, 256, 5))
    outputs = [new_output("error", ename="E", evalue="x", traceback=[colours])]
    late = Graded("ada", ("undecided", "failed"), ("", "`x`"), comment="*c* `d`", late=3, penalty=0.5, outputs=outputs)
    file = tmp_path / "page.html"
    file.write_text(feedback(late))
    page = browser.new_page()
    page.goto(file.as_uri())
    painted = page.evaluate(PAINTED)
    assert {"? not decided yet", "✗ not passed", "235"} <= {text for text, _, _ in painted}
    assert [text for text, ink, ground in painted if contrast(ink, ground) < 4.5] == []


def luminance(colour):
    """Relative luminance, as WCAG 2 defines it, of ``#rrggbb`` or three numbers up to 255."""
    if isinstance(colour, str):
        colour = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Contrast ratio of two colours, from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_have_enough_contrast():
    """WCAG AA asks for 4.5 to 1: each ink on each ground that it is used on."""
    base = (TEMPLATES / "shared" / "base.css").read_text()
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", base))
    colours["card"] = "#ffffff"
    pairs = [
        ("good", "good-back"),
        ("bad", "bad-back"),
        ("open", "open-back"),
        ("ink", "bad-back"),
        ("ink", "open-back"),
    ]
    pairs += [(ink, ground) for ink in ("ink", "soft", "link") for ground in ("card", "page")]
    measured = {(ink, ground): contrast(colours[ink], colours[ground]) for ink, ground in pairs}
    code = re.findall(r"color: (#[0-9a-f]{6})", (TEMPLATES / "feedback" / "feedback.css").read_text())
    measured |= {(ink, "code"): contrast(ink, "#f7f9fb") for ink in code}
    assert len(code) > 10
    assert {pair: ratio for pair, ratio in measured.items() if ratio < 4.5} == {}
