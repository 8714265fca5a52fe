"""Points off for late work, by the rule that the settings say."""

import graded_class
import pytest
from graded_class import Graded
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from proctor import course as courses
from proctor.late import PercentPerDay

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
    """Nbgrader's own step takes the plug-in by name and writes the penalty into the gradebook."""
    graded_class.grade(tiny, Graded("ada", late=30))
    course = courses.load(tiny)
    config = Config(
        {"AssignLatePenalties": {"plugin_class": "proctor.late.PercentPerDay"}, "PercentPerDay": {"percent": 20.0}}
    )
    about = {"notebook": "tiny", "assignment": "tiny", "student": "ada", "db_url": course.db_url()}
    from nbformat.v4 import new_notebook

    AssignLatePenalties(config=config).preprocess(new_notebook(), {"nbgrader": about})
    from proctor.report.gradebook import read

    submission = read(course, "tiny").submissions["ada"]
    assert submission.penalty == pytest.approx(1.2)
    assert submission.score == pytest.approx(1.8)
