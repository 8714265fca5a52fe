"""Points off for late work, by the rule that the settings say."""

import datetime
import re

import pytest
import tiny_course
from commands import run
from course_files import ROOT
from graded_class import DUE, Graded, grade, write_feedback
from nbgrader.api import Gradebook

from proctor.course import folders as courses
from proctor.plugins.late import PercentPerDay
from proctor.report.gather import gather
from proctor.report.page import late

HOUR = 3600


@pytest.mark.parametrize(
    ("settings", "seconds", "expected"),
    [
        ({}, 1, 2.0),
        ({}, 24 * HOUR, 2.0),
        ({}, 24 * HOUR + 1, 4.0),
        ({}, 400 * HOUR, 20.0),
        ({"percent": 25.0, "at_most": 60.0}, 60 * HOUR, 12.0),
        ({"grace_minutes": 15.0}, 900, None),
        ({"grace_minutes": 15.0}, 901, 2.0),
        ({"percent": 0.0}, HOUR, None),
        ({"percent": 33.3}, HOUR, 6.66),
    ],
)
def test_percent_of_the_earned_points_for_each_day_begun(settings, seconds, expected):
    """Twenty points, late by so many seconds."""
    assert PercentPerDay(**settings).late_submission_penalty("ada", 20.0, seconds) == expected


def test_nothing_is_taken_from_nothing():
    """Zero points stay zero."""
    assert PercentPerDay().late_submission_penalty("ada", 0.0, HOUR) is None


@pytest.mark.parametrize("settings", [{"percent": -1.0}, {"percent": 101.0}, {"grace_minutes": -5.0}])
def test_impossible_settings_are_refused(settings):
    """No rule can give points for being late."""
    with pytest.raises(Exception, match="value of the"):
        PercentPerDay(**settings)


def test_one_line_of_configuration_is_enough(tiny):
    """The line of the guide, and a due date: graded two days late is one fifth off, in report and feedback."""
    (line,) = re.findall(r"^c\.AssignLatePenalties.*$", (ROOT / "docs" / "instructors.md").read_text(), re.MULTILINE)
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write(f"\n{line}\n")
    for student, time in (("ada", "2026-11-01 11:59:59 UTC"), ("bo", "2026-11-03 11:00:00 UTC")):
        (tiny_course.submit(tiny, student).parent / "timestamp.txt").write_text(time)
    with Gradebook(f"sqlite:///{tiny}/gradebook.db", "custom-training") as book:
        book.update_or_create_assignment("tiny", duedate=DUE)
    assert run(tiny, "proctor", "grade").returncode == 0
    rows = {row.student.id: row for row in gather(courses.load(tiny), "tiny").rows}
    assert (rows["ada"].late, late(rows["bo"].late)) == (datetime.timedelta(0), "1 d 23 h")
    assert (rows["ada"].total, rows["bo"].total) == (3.0, pytest.approx(2.4))
    assert "2.4 of 3 points" in write_feedback(tiny, "bo").read_text()


def by_hand(root, student, points):
    """What formgrader does when somebody enters points."""
    with Gradebook(f"sqlite:///{root}/gradebook.db", "custom-training") as book:
        book.find_grade("test_double", "tiny", "tiny", student).manual_score = points
        book.db.commit()


def test_points_by_hand_change_the_penalty(tiny):
    """A share of the points is a share of those that count, by whichever command comes next; who is in time loses none."""
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write('\nc.AssignLatePenalties.plugin_class = "proctor.PercentPerDay"\n')
    grade(tiny, Graded("ada"), Graded("bo", late=1, by_hand=2.0, penalty=0.3))
    assert "0 graded, 2 unchanged" in run(tiny, "proctor", "grade").stdout
    assert scores_after_penalty(tiny) == {"ada": 3.0, "bo": pytest.approx(1.8)}
    by_hand(tiny, "bo", 1.0)
    assert "0.9 of 3 points" in write_feedback(tiny, "bo").read_text()
    assert scores_after_penalty(tiny) == {"ada": 3.0, "bo": pytest.approx(0.9)}


def scores_after_penalty(root):
    """Totals as the report has them."""
    return {row.student.id: row.total for row in gather(courses.load(root), "tiny").rows}
