"""Times and durations as people write them."""

from datetime import datetime, timedelta

import pytest

from proctor.dates import written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2027-02-03 23:59 UTC", datetime(2027, 2, 3, 23, 59)),
        ("2027-02-03 23:59", datetime(2027, 2, 3, 23, 59)),
        (" 2027-02-03T9:05:10Z ", datetime(2027, 2, 3, 9, 5, 10)),
        ("2027-02-03 23:59 Europe/Berlin", datetime(2027, 2, 3, 22, 59)),
        ("2027-07-03 23:59 Europe/Berlin", datetime(2027, 7, 3, 21, 59)),
        ("2027-02-03 23:59 +01:00", datetime(2027, 2, 3, 22, 59)),
        ("2027-02-03 20:00 -0430", datetime(2027, 2, 4, 0, 30)),
    ],
)
def test_times_come_out_in_utc(text, expected):
    """With a zone by name or number, or none, which is UTC as for nbgrader."""
    assert written.time(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "2027-02-03", "tomorrow", "03/02/2027 12:00", "2027-13-01 12:00", "2027-02-03 25:00", "2027-02-03 12:00 CEST!",
     "2027-02-03 12:00 Nowhere/Town", "0001-01-01 00:00 +14:00"],
)  # fmt: skip
def test_a_time_that_could_be_misread_is_refused(text):
    """A day without an hour, the order of day and month, a zone that nobody knows."""
    with pytest.raises(ValueError):
        written.time(text)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("2 days", 2880), ("1 day 12 h", 2160), ("36 hours", 2160), ("1.5 days", 2160), ("90 min", 90), ("1w", 10080),
     ("1 week, 1 minute", 10081), ("2D", 2880)],
)  # fmt: skip
def test_time_spans(text, minutes):
    """In the units that people use, alone and together."""
    assert written.duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "2", "two days", "2 months", "-2 days", "2 days late", "9" * 30 + " days"])
def test_what_is_no_time_span(text):
    """A number alone, a month, a step back."""
    with pytest.raises(ValueError):
        written.duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tuesday, 3 November 2026, 9:41 AM", datetime(2026, 11, 3, 8, 41)),
        ("3 November 2026, 9:41 PM", datetime(2026, 11, 3, 20, 41)),
        ("2026-11-03 09:41", datetime(2026, 11, 3, 8, 41)),
        ("2026-11-03 09:41 UTC", datetime(2026, 11, 3, 9, 41)),
    ],
)
def test_a_platforms_times_are_in_its_zone(text, expected):
    """Unless they say otherwise."""
    assert written.platforms_time(text, written.zone_of("Europe/Berlin")) == expected


@pytest.mark.parametrize("text", ["-", "9:41", "3 November 2026", "Dienstag, 3. Novembre 2026, 9:41", "2026" * 30])
def test_what_cannot_be_read_is_not_guessed(text):
    """Today's date is not put where one is missing."""
    with pytest.raises(ValueError):
        written.platforms_time(text, written.zone_of("UTC"))
