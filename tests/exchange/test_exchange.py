"""nbgrader's exchange from end to end on one machine, by the commands that instructors and students type."""

import getpass
from pathlib import Path

import nbformat
import pytest
import quick
import tiny_course
from commands import scores

TINY = tiny_course.ASSIGNMENT
ME = getpass.getuser()
BY_MAIL = "aaron"  # comes first: nbgrader alone would stop there
WRONG = "def double(x):\n    return x\n"


def nbgrader(folder: Path, *command: str) -> None:
    """Run a command in a folder, with a home of its own."""
    home = folder.parent / "home"
    done = quick.run(folder, command, HOME=str(home), JUPYTER_DATA_DIR=str(home / "data"))
    assert done.returncode == 0, done.stderr


def solve(homework: Path, answer: str) -> None:
    """Write the answer into the fetched notebook."""
    nb = nbformat.read(homework, as_version=4)
    for cell in nb.cells:
        if cell.metadata.nbgrader.grade_id == "double":
            cell.source = answer
    nbformat.write(nb, homework)


@pytest.fixture(scope="module")
def places(released_tiny_course, tmp_path_factory):
    """The course, the folder of a student, and the exchange between them."""
    top = tmp_path_factory.mktemp("exchange")
    course, student = tiny_course.copy(released_tiny_course, top / "course"), top / "student"
    student.mkdir()
    exchange = top / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.Exchange.root = {str(exchange)!r}\n")
    (student / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "custom-training"\nc.Exchange.root = {str(exchange)!r}\n'
    )
    return course, student


@pytest.fixture(scope="module")
def exchanged(places):
    """Release, fetch, submit a wrong answer, collect, submit a right one, collect, grade, and return feedback."""
    course, student = places
    homework = student / TINY / f"{TINY}.ipynb"
    nbgrader(course, "nbgrader", "release_assignment", TINY)
    nbgrader(student, "nbgrader", "fetch_assignment", TINY)
    solve(homework, WRONG)
    nbgrader(student, "nbgrader", "submit", TINY)
    nbgrader(course, "nbgrader", "collect", TINY)
    solve(homework, tiny_course.RIGHT)
    nbgrader(student, "nbgrader", "submit", TINY)
    nbgrader(course, "nbgrader", "collect", TINY, "--update")
    tiny_course.submit(course, BY_MAIL)
    nbgrader(course, "proctor", "grade", TINY)
    nbgrader(course, "nbgrader", "generate_feedback", TINY)
    nbgrader(course, "nbgrader", "release_feedback", TINY)
    nbgrader(student, "nbgrader", "fetch_feedback", TINY)
    return course, student


def test_the_later_submission_counts(exchanged):
    """Of two submissions the second one is collected and graded."""
    course, _ = exchanged
    assert scores(course) == {ME: 3, BY_MAIL: 3}


def test_the_student_gets_the_page_back(exchanged):
    """Feedback reaches the student's folder, with the points."""
    _, student = exchanged
    pages = list((student / TINY / "feedback").rglob("*.html"))
    assert len(pages) == 1
    assert "3 of 3 points" in " ".join(pages[0].read_text().split())


def test_who_has_not_submitted_through_the_exchange_is_named_and_costs_nobody_a_page(exchanged):
    """Nbgrader alone stops at the first of them with a traceback."""
    course, _ = exchanged
    done = quick.run(course, ["nbgrader", "release_feedback", TINY])
    assert done.returncode == 0, done.stderr
    assert f"Not submitted through the exchange, so give them their pages another way: {BY_MAIL}" in done.stderr


def test_a_student_never_sees_the_hidden_tests(exchanged):
    """Nothing that came through the exchange names a hidden test."""
    _, student = exchanged
    for path in student.rglob("*"):
        if path.is_file():
            assert b"run_hidden_tests" not in path.read_bytes()
            assert b"def test_" not in path.read_bytes()
