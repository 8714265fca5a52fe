"""Numbers about a class are the textbook's, and say when they say nothing."""

import numpy as np
import pytest

from proctor.report.statistics import discrimination, in_words, summary


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


def test_words_for_a_discrimination():
    """A negative value asks for a look at the test."""
    said = [in_words(value) for value in (None, -0.1, 0.0, 0.2, 0.35, 0.4)]
    assert said == ["cannot be told", "negative: look at this test", "weak", "fair", "good", "very good"]


def test_summary_of_points():
    """Mean, deviation of these very students, and quartiles."""
    found = summary([0.0, 10.0, 10.0, 20.0])
    assert (found.count, found.mean, found.median, found.lowest, found.highest) == (4, 10.0, 10.0, 0.0, 20.0)
    assert found.deviation == pytest.approx(50**0.5)
    assert summary([]) is None
