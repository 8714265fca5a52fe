"""What has to hold of whatever a fuzzer hands in: it is graded or named, harms nobody, and costs little.

Each check takes a random generator, a released tiny course to copy, and how many cases to make. It raises
``AssertionError`` (or whatever the engine raises, which is as bad) with the case in its message.
"""

import json
import shutil
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fuzz_cases as cases
import graded_class
import nbformat
import tiny_course
import uploads
from commands import run, scores
from formgrader_page import formgrader
from fuzz_cases import Chance
from page_fixtures import Inventory

from proctor.autograde.defuse import DefuseMarkdown
from proctor.border.submission import Submission, scenario_source
from proctor.course import folders as courses
from proctor.course.hand_in import refusal
from proctor.course.submitted_folder import bad_id, unsafe
from proctor.errors import StudentFault
from proctor.feedback.cell import Budget, show
from proctor.hidden_tests import session
from proctor.notebook.handed_in import count_outputs, keep_outputs
from proctor.plugins.formgrader import template_paths
from proctor.records import graded as course_graded
from proctor.records.memory import digest_of
from proctor.render import words
from proctor.render.highlight import BoundedHighlight
from proctor.repair.read import notebook_of, outputs_of
from proctor.report.gather import gather
from proctor.report.page import page as report_page
from proctor.report.tables import messages, students

TINY = tiny_course.ASSIGNMENT
SECONDS = 5.0  # of computing, for one case
MB = 1 << 20
Check = Callable[[Chance, Path, int], None]


@contextmanager
def within_limits(about: Any) -> Iterator[None]:
    """Name the case if it fails or takes long."""
    began = time.process_time()
    try:
        yield
    except Exception as error:
        *_, where = traceback.extract_tb(error.__traceback__)
        what = f"{type(error).__name__} in {where.filename}, line {where.lineno}: {str(error)[:1000]}"
        raise AssertionError(f"{what}\nof {str(about)[:3000]!r}") from error
    assert time.process_time() - began < SECONDS, f"more than {SECONDS:g} s for {str(about)[:3000]!r}"


def check_replies(chance: Chance, course: Path, number: int) -> None:
    """A reply is a value or the student's fault; a hidden test that gets it fails, in words that do nothing."""
    now = [""]
    submission = Submission(lambda request: now[0], scenario_source(course / "grader_tests" / TINY))

    def judge(run_file: session.RunFile) -> None:
        for _ in range(number):
            now[0] = cases.reply(chance)
            with within_limits(now[0]):
                items = run_file(course / "grader_tests/tiny/test_double.py")
                assert [item.outcome for item in items] == ["failed", "failed"]
                assert all(words.message(item).isprintable() for item in items)
                with suppress(StudentFault):
                    submission.play("double_of", 1)

    session.session([course / "grader_tests/tiny/test_double.py"], submission, 0, judge)


def check_notebooks(chance: Chance, course: Path, number: int) -> None:
    """A file is refused in one line that names it, or becomes a notebook that harms no page."""
    course = _own(course, "notebooks", chance)
    released = json.loads((course / "release" / TINY / f"{TINY}.ipynb").read_text())
    loaded, place = courses.load(course), course / "submitted" / "eve" / TINY / f"{TINY}.ipynb"
    place.parent.mkdir(parents=True, exist_ok=True)
    for turn in range(number):
        content = cases.notebook(chance, released)
        place.write_bytes(content)
        with within_limits(content):
            reason = refusal(loaded, TINY, "eve")
            if reason:
                assert reason.isprintable()
                assert reason.startswith(f"submitted/eve/{TINY}")
            else:
                _check_pages(notebook_of(content), content, turn)
    _remove(course.parent)


def _check_pages(nb: Any, content: bytes, turn: int) -> None:
    nb.metadata.clear()  # nbgrader writes the source's kernel into it, whatever was there
    nbformat.validate(nb)
    keep = (keep_outputs, count_outputs)[turn % 2]
    keep(nb.cells, outputs_of(content), 16 * MB)
    for cell in nb.cells:
        cell.metadata.pop("nbgrader", None)  # of what a student has added; the rest is restored
    nb, _ = DefuseMarkdown().preprocess(nb, {})
    budget = Budget()
    for cell in nb.cells:
        shown = show(cell, budget)
        _check_harmless("".join((shown.source, *shown.outputs)))
    if turn % 5 == 0:  # nbconvert takes its time
        filters = {"highlight_code": BoundedHighlight}
        page = formgrader(nb, template_paths=template_paths(), filters=filters)
        _check_harmless(page.partition("<script")[0], {"button", "input", "textarea"})


def _check_harmless(markup: str, ours: frozenset[str] | set[str] = frozenset()) -> None:
    found = Inventory(markup)
    assert not {"script", "style", "iframe", "object", "embed", "form", "svg", "link", "button", "input"} - set(
        ours
    ) & set(found.tags)
    assert not found.handlers
    assert all(link.startswith(("http://", "https://", "mailto:", "#")) for link in found.links), found.links
    assert all(address.startswith("data:image/") for address in found.loads), found.loads
    assert 'id="test_' not in markup


def check_folders(chance: Chance, course: Path, number: int) -> None:
    """Whatever lies in a folder, it is looked at without being read, and named in one line."""
    course = _own(course, "folders", chance)
    loaded = courses.load(course)
    for _ in range(number):
        place = tiny_course.submit(course, "eve").parent
        cases.folder(chance, place)
        name = chance.choice((chance.text(), cases.file_name(chance)))
        with within_limits(sorted(map(str, place.rglob("*")))):
            reasons = [unsafe(place), refusal(loaded, TINY, "eve"), bad_id(name)]
            assert all(reason.isprintable() for reason in reasons), reasons
            if not reasons[0]:
                assert digest_of([place])
        _remove(course / "submitted" / "eve")
    _remove(course.parent)


def _own(course: Path, what: str, chance: Chance) -> Path:
    """A copy of the course in a folder of its own."""
    place = course.parent / f"{what}-{chance.randrange(10**9)}"
    place.mkdir()
    return tiny_course.copy(course, place / "course")


def _remove(place: Path) -> None:
    for path in [place, *place.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(place)


def check_uploads(chance: Chance, course: Path, number: int) -> None:
    """A platform's archive with random uploads: the honest have what they handed in, nobody else is there."""
    course = _own(course, "uploads", chance)
    download = uploads.Download(course, "moodle")
    expected = set(uploads.HONEST["moodle"])
    for turn in range(number):
        download.number = 100 + turn
        expected.add(download.eves_id)
        for _ in range(chance.randint(1, 4)):
            content = chance.choice((None, chance.randbytes(30), b"", uploads.zipped([("tiny.ipynb", b"{}")])))
            place = chance.choice((download.place, download.place, download.place, ""))
            download.add(
                place + cases.entry_name(chance),
                content,
                **chance.choice(({}, {}, {"external_attr": uploads.LINK << 16})),
            )
    download.write()
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"\n{uploads.MOODLE}\n")
    before = uploads._outside(course)
    with within_limits([name for name, *_ in download.entries]):
        done = run(course, "nbgrader", "zip_collect", TINY, "--force")
        assert done.returncode == 0, done.stderr[-2000:]
        assert {path.name for path in (course / "submitted").iterdir()} <= expected
        for student in uploads.HONEST["moodle"]:
            notebook = course / "submitted" / student / TINY / f"{TINY}.ipynb"
            assert notebook.read_bytes() == download.notebook(student)
        assert uploads._outside(course) == before
        assert all(character.isprintable() for line in done.stderr.splitlines() for character in line)
    _remove(course.parent)


def check_reports(chance: Chance, course: Path, number: int) -> None:
    """Whatever became of some students' graded files, the report is there, and the others' rows are as before."""
    course = _own(course, "report", chance)
    names = [f"eve{turn}" for turn in range(number)]
    graded_class.grade(course, *(graded_class.Graded(name) for name in ("ada", *names)))
    loaded = courses.load(course)
    before = gather(loaded, TINY).rows[0]
    for name in names:
        _spoil(chance, course, name)
    with within_limits(names):
        report = gather(loaded, TINY)
        assert len(report.rows) == number + 1
        assert report.rows[0] == before
        assert all(row.why.isprintable() for row in report.rows)
        report_page(report, {}, course / "reports")
        assert students(report)
        assert messages(report)
        for name in names:
            course_graded.read(loaded, TINY, name)
    _remove(course.parent)


def _spoil(chance: Chance, course: Path, name: str) -> None:
    graded = course / "autograded" / name / TINY / f"{TINY}.ipynb"
    (course / "feedback" / name / TINY).mkdir(parents=True)
    (course / "feedback" / name / TINY / f"{TINY}.html").write_text(chance.text().encode("utf-8", "replace").decode())
    (course / "feedback" / name / TINY / "submission_secret.txt").write_bytes(chance.randbytes(20))
    (memory,) = (course / ".proctor/graded/tiny").glob(f"{name}-*.json")
    for path in (graded, memory, course / "submitted" / name / TINY / f"{TINY}.ipynb"):
        if chance.often(0.6):
            data = json.loads(path.read_text())
            cases._change(chance, data)
            path.write_bytes(cases._written(chance, data))
    cases.folder(chance, course / "submitted" / name / TINY)


def check_classes(chance: Chance, course: Path, number: int) -> None:
    """A class through the whole engine: everybody is graded or named, and the honest have what they always have."""
    course = _own(course, "class", chance)
    released = json.loads((course / "release" / TINY / f"{TINY}.ipynb").read_text())
    for student in ("ada", "zoe"):
        tiny_course.submit(course, student)
    for turn in range(number):
        path = tiny_course.submit(course, f"eve{turn}")
        path.write_bytes(cases.notebook(chance, released))
        if chance.often(0.2):
            cases.folder(chance, path.parent)
    limits = "c.ProctoredExecute.cell_timeout = c.ProctoredExecute.call_timeout = 2\nc.ProctoredExecute.memory = 300\n"
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"\n{limits}")
    done = run(course, "proctor", "grade", timeout=60 + 5 * number)
    assert done.returncode in (0, 1), done.stderr[-3000:]
    points = scores(course)
    named = {line.split("/")[1] for line in done.stderr.splitlines() if line.startswith("  submitted/")}
    assert points["ada"] == points["zoe"] == 3
    assert set(points) | named >= {f"eve{turn}" for turn in range(number)}, done.stderr[-3000:]
    assert all(points[name] in (0, 1, 2, 3) for name in points)
    feedback = run(course, "nbgrader", "generate_feedback", TINY, "--force", timeout=60 + 5 * number)
    assert feedback.returncode == 0, feedback.stderr[-3000:]
    for page in course.glob("feedback/*/*/*.html"):
        found = Inventory(page.read_text())
        assert "script" not in found.tags
        assert not found.handlers
        assert page.stat().st_size < 2 * MB
    _remove(course.parent)


# By name: the check, how many cases one call makes, and its share of all cases.
CHECKS: dict[str, tuple[Check, int, float]] = {
    "replies": (check_replies, 50, 0.45),
    "notebooks": (check_notebooks, 20, 0.35),
    "folders": (check_folders, 20, 0.1),
    "uploads": (check_uploads, 20, 0.05),
    "reports": (check_reports, 20, 0.04),
    "classes": (check_classes, 20, 0.01),
}
