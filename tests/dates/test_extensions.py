"""``extensions.csv`` and ``proctor extend``: single students get more time, and late penalties respect it."""

import datetime

import pytest
import tiny_course
from commands import run
from graded_class import DUE, write_feedback
from nbgrader.api import Gradebook

from proctor.course import folders as courses
from proctor.dates import extensions
from proctor.errors import CourseError
from proctor.report.gather import gather

TINY = tiny_course.ASSIGNMENT
LATE = '\nc.AssignLatePenalties.plugin_class = "proctor.PercentPerDay"\n'
DAY = datetime.timedelta(days=1)


def test_the_one_for_the_assignment_goes_before_the_one_for_all(tmp_path):
    """Columns in any order, of the course's own, with semicolons and a mark at the beginning, as spreadsheets write."""
    text = "\ufeffreason;Extension;student;assignment\nill;2 days;ada;\n;2026-11-09 12:00;ada;tiny\n\n;1 h;bo;other\n"
    (tmp_path / extensions.NAME).write_text(text)
    found = extensions.read(tmp_path)
    assert extensions.of(found, "ada", "tiny").beyond(DUE) == 8 * DAY
    assert extensions.of(found, "ada", "else").beyond(DUE) == 2 * DAY
    assert extensions.of(found, "bo", "tiny") is None
    assert extensions.of(found, "ada", "else").beyond(None) is None
    assert extensions.of(found, "ada", "tiny").beyond(DUE + 30 * DAY) == datetime.timedelta(0)
    extensions.write(tmp_path, found)
    assert (tmp_path / extensions.NAME).read_text().splitlines()[:2] == [
        "student,assignment,extension,reason",
        "ada,,2 days,ill",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column student and assignment and extension"),
        ("student,extension\nada,2 days\n", "has no column assignment"),
        ("student,assignment,extension\n,tiny,2 days\n", "line 2: there is no student"),
        ("student,assignment,extension\nada,tiny,2 days\nada,tiny,3 days\n", "line 3: a second extension of ada"),
        ("student,assignment,extension\nada,tiny,soon\n", "line 2: 'soon' is no time span such as 2 days"),
        ("student,assignment,extension\nada,tiny,2027-01-01\n", "line 2: '2027-01-01' is no time such as"),
        ("student,assignment,extension\nada,tiny\n", "line 2: '' is no time span"),
    ],
)
def test_a_line_that_cannot_be_read_stops_grading(tmp_path, text, words):
    """Rather than have a student lose points for a slip of the pen."""
    (tmp_path / extensions.NAME).write_text(text)
    with pytest.raises(CourseError, match=words):
        extensions.read(tmp_path)


def test_not_a_text_file(tmp_path):
    """A spreadsheet saved as such."""
    (tmp_path / extensions.NAME).write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(CourseError, match="save it as CSV"):
        extensions.read(tmp_path)


@pytest.fixture
def late_class(tiny):
    """Ada and bo, two days late, with a rule that takes 10 % for each day begun, and a student who has not handed in."""
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write(LATE)
    for student in ("ada", "bo"):
        (tiny_course.submit(tiny, student).parent / "timestamp.txt").write_text(str(DUE + 1.5 * DAY))
    with Gradebook(f"sqlite:///{tiny}/gradebook.db", "custom-training") as book:
        book.update_or_create_assignment(TINY, duedate=DUE)
        for student in ("ada", "bo", "eve"):
            book.update_or_create_student(student)
    return tiny


def totals(course):
    """Points after late penalties."""
    return {row.student.id: row.total for row in gather(courses.load(course), TINY).graded}


def extend(course, *options):
    """Run the command; return what it prints."""
    done = run(course, "proctor", "extend", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_extension_is_respected_by_grading_and_feedback(late_class):
    """Given before or after grading; only the student whom it concerns is graded again. Taken back, it is gone."""
    assert "ada: all assignments: 1 day more" in extend(late_class, "ada", "--by", "1 day")
    assert run(late_class, "proctor", "grade").returncode == 0
    assert totals(late_class) == {"ada": pytest.approx(2.7), "bo": pytest.approx(2.4)}
    assert (
        "You handed this in 12 hours late: it was due on 2 November 2026, 12:00 UTC, with your extension of 1 day. "
        "For that, 0.3 points were taken off: 10 % of what you earned for each day begun."
    ) in write_feedback(late_class, "ada").read_text()
    extend(late_class, "bo", "--until", "2026-11-03 00:00 UTC", "--assignment", TINY)
    done = run(late_class, "proctor", "grade")
    assert "1 graded, 1 unchanged" in done.stdout
    assert totals(late_class) == {"ada": pytest.approx(2.7), "bo": 3.0}
    assert " late" not in write_feedback(late_class, "bo").read_text().partition("<body>")[2]
    assert extend(late_class) == "ada: all assignments: 1 day more\nbo: tiny: until 2026-11-03 00:00 UTC\n"
    extend(late_class, "ada", "--remove")
    file = late_class / extensions.NAME
    file.write_text(f"{file.read_text()}adda,{TINY},2 days\neve,tinny,2 days\n")
    for command in ("grade", "extend"):
        said = run(late_class, "proctor", command).stdout
        assert [word for word in ("'adda'", "'tinny'", "'eve'", "'bo'") if f"names {word}, which" in said] == [
            "'adda'",
            "'tinny'",
        ]
    done = run(late_class, "nbgrader", "autograde", TINY, "--student=ada", "--force")
    assert done.returncode == 0, done.stderr
    assert totals(late_class) == {"ada": pytest.approx(2.4), "bo": 3.0}


def test_what_the_gradebook_has_is_taken_over_by_the_first_command(late_class):
    """Nbgrader's own ``grant_extension`` counts without a file, and is not lost when there is one."""
    assert run(late_class, "proctor", "grade", "--student", "ada").returncode == 0
    with Gradebook(f"sqlite:///{late_class}/gradebook.db", "custom-training") as book:
        book.grant_extension(TINY, "ada", days=2)
    assert run(late_class, "proctor", "grade", "--student", "ada", "--force").returncode == 0
    assert totals(late_class) == {"ada": 3.0}
    assert "ada: tiny: 2880 minutes more" in extend(late_class, "eve", "--by", "2 days")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["ada"], "say how long"),
        (["ad", "--by", "2 days"], "does not know ad: enter them first"),
        (["ada", "--by", "2"], "'2' is no time span"),
        (["ada", "--by", "2027-02-03 12:00"], "--by: '2027-02-03 12:00' is no time span"),
        (["ada", "--until", "2 days"], "--until: '2 days' is no time such as"),
        (["ada", "--until", "2027-02-03"], "is no time such as"),
        (["ada", "--until", "31.2.2027"], "'31.2.2027' is no time such as 2027-02-03 23:59 UTC"),
        (["ada", "--by", "2 days", "--assignment", "tinny"], "no assignment 'tinny'"),
        (["ada", "--remove"], "there is no extension of ada"),
        (["--by", "2 days"], "name at least one student"),
    ],
)
def test_a_command_that_is_not_clear_changes_nothing(released_with_students, options, words):
    """It says what is missing, and writes no file."""
    done = run(released_with_students, "proctor", "extend", *options)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert not (released_with_students / extensions.NAME).exists()


@pytest.fixture(scope="module")
def released_with_students(released_tiny_course, tmp_path_factory):
    """A course that knows ada."""
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("extend") / "course")
    with Gradebook(courses.load(course).db_url(), "custom-training") as book:
        book.update_or_create_student("ada")
    return course
