"""Numbers about a class are the textbook's, and say when they say nothing."""

import numpy as np
import pytest

from proctor.report.statistics import discrimination, in_words, interval, summary


def test_discrimination_is_the_correlation_with_the_rest():
    """The point-biserial form gives what Pearson's formula gives."""
    rng = np.random.default_rng(5)
    passed = rng.random(60) > 0.4
    rest = rng.normal(size=60) + passed
    expected = np.corrcoef(passed, rest)[0, 1]
    assert discrimination(passed.tolist(), rest.tolist()) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("passed", "rest", "expected"),
    [
        ([True, True, False, False], [4, 4, 1, 1], 1.0),
        ([False, False, True, True], [4, 4, 1, 1], -1.0),
        ([True, False, True, False], [4, 4, 1, 1], 0.0),
    ],
)
def test_discrimination_of_clear_cases(passed, rest, expected):
    """The strong pass: 1. The weak pass: -1. As many of both: 0."""
    assert discrimination(passed, rest) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("passed", "rest"),
    [
        ([], []),
        ([True], [1]),
        ([True, False], [1, 2]),
        ([True, True, True], [1, 2, 3]),
        ([False, False, False], [1, 2, 3]),
        ([True, False, True], [0.1 + 0.2, 0.3, 0.3]),
    ],
    ids=["nobody", "one", "two", "all passed", "none passed", "equal rest"],
)
def test_discrimination_that_cannot_be_told(passed, rest):
    """Without a difference, or with too few students, there is no number."""
    assert discrimination(passed, rest) is None


def test_discrimination_needs_one_total_for_each_result():
    """Lists that do not belong together are a mistake of ours."""
    with pytest.raises(ValueError, match="3 results, 2 totals"):
        discrimination([True, False, True], [1, 2])


@pytest.mark.parametrize(("value", "students"), [(0.6, 12), (-0.3, 50), (0.0, 1000)])
def test_interval_of_a_discrimination(value, students):
    """Of samples of two normal quantities with this correlation, 95 % have the true one in their interval."""
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(2_000):
        one, other = rng.multivariate_normal([0, 0], [[1, value], [value, 1]], students).T
        low, high = interval(float(np.corrcoef(one, other)[0, 1]), students)
        covered += low <= value <= high
    assert covered / 2_000 == pytest.approx(0.95, abs=0.02)


def test_interval_that_cannot_be_told():
    """No value, or too few students; and a perfect one has an interval, too."""
    assert interval(None, 100) is None
    assert interval(0.5, 3) is None
    low, high = interval(1.0, 10)
    assert 0.99 < low < high <= 1


@pytest.mark.parametrize(
    ("value", "students", "expected"),
    [
        (None, 100, "cannot be told"),
        (0.9, 3, "cannot be told"),
        (-0.4, 1000, "negative: look at this test"),
        (-0.1, 12, "too few students to tell"),
        (0.4, 12, "too few students to tell"),
        (0.6, 12, "above 0; how far, more students would tell"),
        (0.6, 1000, "very good"),
        (0.4, 1000, "good"),
        (0.3, 1000, "fair"),
    ],
)
def test_words_for_a_discrimination(value, students, expected):
    """Ebel's rule, as far as so many students can tell; a negative value asks for a look at the test."""
    assert in_words(value, students) == expected


def test_summary_of_points():
    """Mean, deviation of these very students, and quartiles."""
    found = summary([0.0, 10.0, 10.0, 20.0])
    assert (found.count, found.mean, found.median, found.lowest, found.highest) == (4, 10.0, 10.0, 0.0, 20.0)
    assert found.deviation == pytest.approx(50**0.5)
    assert summary([]) is None
