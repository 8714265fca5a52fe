"""When work from a learning platform was handed in: by a mark, by a table, by the archive's dates; or it is said that nobody knows."""

import pytest
from commands import run
from uploads import CANVAS, MOODLE, NOTEBOOK, TINY, Download, collect

WORKSHEET = """Identifier,Full name,Email address,Status,Grade,"Last modified (submission)"
Participant 1,Ada Lovelace,ada@example.org,Submitted,,"Tuesday, 3 November 2026, 9:41 AM"
Participant 2,Zoë d'Été,zoe@example.org,Submitted,,"Tuesday, 3 November 2026, 11:59 PM"
Participant 5,Bo Ek,bo@example.org,No submission,,-
"""


@pytest.fixture
def moodle(tiny):
    """A course with two students of Moodle."""
    return Download(tiny, "moodle")


@pytest.fixture
def canvas(tiny):
    """A course with two students of Canvas, of whom one is marked as late."""
    return Download(tiny, "canvas")


def time_of(download, student):
    """When nbgrader believes that it was handed in; None: it does not know."""
    path = download.course / "submitted" / student / TINY / "timestamp.txt"
    return path.read_text() if path.exists() else None


def said(download, more):
    """Collect, and return what was said at the end."""
    download.write()
    outcome = collect(download, more, frozenset())
    assert outcome.harm == [], outcome.said
    return outcome.said


def test_a_mark_without_a_time_is_said_until_there_is_one(canvas):
    """By collecting and by grading; a table beside the archive has the time, and the mark is settled."""
    assert "LATE, but how late is unknown, so nothing is taken off: '777'. docs/instructors.md" in said(canvas, CANVAS)
    graded = run(canvas.course, "proctor", "grade")
    late = [line for line in graded.stdout.splitlines() if "late, but nobody knows how late" in line]
    assert [line.split()[0] for line in late] == ["777"]
    canvas.beside("times.csv", b"student,time\n777,2026-11-03 09:41 UTC\n")
    assert "LATE" not in said(canvas, "").replace("hopper_LATE_", "")
    assert (time_of(canvas, "777"), time_of(canvas, "12345")) == ("2026-11-03 09:41:00", None)
    assert "late, but" not in run(canvas.course, "proctor", "grade").stdout


def test_moodles_worksheet_has_the_times(moodle):
    """Its numbers are those of the archive's folders, and its times are on Moodle's clock."""
    moodle.beside("Grades.csv", WORKSHEET.encode())
    assert "is unknown" not in said(moodle, f'{MOODLE}\nc.PlatformCollector.timezone = "Europe/Berlin"')
    assert time_of(moodle, "Ada Lovelace") == "2026-11-03 08:41:00"
    assert time_of(moodle, "Zoë d'Été") == "2026-11-03 22:59:00"


def test_without_times_it_is_said_that_nobody_counts_as_late(moodle):
    """The dates in an archive may be those of the download, so they are not taken for anybody's."""
    end = said(moodle, MOODLE)
    assert "When it was handed in is unknown of 2 of 2 students: none of them counts as late." in end
    assert time_of(moodle, "Ada Lovelace") is None


def test_the_archives_dates_if_the_course_says_so(moodle):
    """Where a platform keeps them; of several files with one name the newest counts."""
    day = (2026, 11, 5, 12, 0, 0)
    moodle.add(f"Bo Ek_7_assignsubmission_file_/{NOTEBOOK}", date_time=day)
    moodle.write()
    more = f'{MOODLE}\nc.PlatformCollector.archive_dates = True\nc.PlatformCollector.timezone = "Europe/Berlin"'
    assert collect(moodle, more, frozenset(["Bo Ek"])).harm == []
    assert (time_of(moodle, "Bo Ek"), time_of(moodle, "Ada Lovelace")) == ("2026-11-05 11:00:00", "2026-01-30 11:00:00")


def test_dates_of_a_download_are_told_apart(moodle):
    """All within minutes of each other: nobody's hand-in."""
    end = said(moodle, f"{MOODLE}\nc.PlatformCollector.archive_dates = True")
    assert "they are the download's, and are not used" in end
    assert time_of(moodle, "Ada Lovelace") is None


def test_a_students_table_is_not_the_instructors(canvas):
    """Unpacked by hand, Canvas' files lie side by side; a student's own table of times says nothing."""
    canvas.beside("eve_666_5_times.csv", b"student,time\n777,2020-01-01 00:00 UTC\n12345,2020-01-01 00:00 UTC\n")
    canvas.eve("times.csv", b"student,time\n777,2020-01-01 00:00 UTC\n")
    said(canvas, CANVAS)
    assert time_of(canvas, "777") is None


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"student,time\n1,yesterday\n", "line 2: 'yesterday' cannot be read as a time"),
        (b"name,points\nada,3\n", "no table of times"),
        (b"PK\x03\x04\0\0", "save it as CSV"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(moodle, table, words):
    """Everybody is collected all the same."""
    moodle.beside("times.csv", table)
    assert words in said(moodle, MOODLE)
