"""Numbers about a class: how points are distributed, and what each hidden test tells about its students."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MIN_STUDENTS = 3
NORMAL_95 = 1.959964  # the normal distribution's quantile for 95 %, both sides


@dataclass(frozen=True)
class Summary:
    """Points of a class: how many students, mean, standard deviation (of these students), quartiles, extremes."""

    count: int
    mean: float
    deviation: float
    lowest: float
    lower: float
    median: float
    upper: float
    highest: float


def summary(points: Sequence[float]) -> Summary | None:
    """Summarize `points`; None for nobody."""
    if not points:
        return None
    lowest, lower, median, upper, highest = (float(value) for value in np.quantile(points, [0, 0.25, 0.5, 0.75, 1]))
    return Summary(len(points), float(np.mean(points)), float(np.std(points)), lowest, lower, median, upper, highest)


def discrimination(passed: Sequence[bool], rest: Sequence[float]) -> float | None:
    """How well a test separates strong from weak work: the corrected item-total correlation, from -1 to 1.

    It is Pearson's correlation of passing the test (1 or 0) with the student's points in all *other* tests::

        r = (M1 - M0) / s * sqrt(p * (1 - p))

    where M1 and M0 are the mean `rest` of those who passed and who did not, s is the standard deviation of `rest` over
    all n students (divided by n) and p the share who passed. For a variable with two values, Pearson's correlation is
    this point-biserial form. The test's own points are left out of the total, because a test correlates with itself
    (Nunnally & Bernstein, *Psychometric Theory*, 3rd ed. 1994, chapter 8: corrected item-total correlation).

    Returns None where it says nothing: fewer than three students, everybody or nobody passed, or equal points in all
    other tests. Raises ``ValueError`` if the lengths differ.
    """
    won, others = np.asarray(passed, dtype=bool), np.asarray(rest, dtype=float)
    if won.shape != others.shape:
        raise ValueError(f"{won.size} results, {others.size} totals")
    share, spread = float(won.mean()) if won.size else 0.0, float(others.std()) if won.size else 0.0
    # Equal sums of decimal points may differ in the last binary digit.
    if won.size < MIN_STUDENTS or share in (0.0, 1.0) or spread < 1e-9:
        return None
    gap = float(others[won].mean() - others[~won].mean())
    return max(-1.0, min(1.0, gap / spread * float(np.sqrt(share * (1 - share)))))


def interval(value: float | None, students: int) -> tuple[float, float] | None:
    """Between which values a correlation found in `students` students lies with 95 % confidence, by Fisher's z.

    ``tanh(atanh(r) ± 1.96 / sqrt(n - 3))`` (R. A. Fisher, *Metron* 1, 1921), which takes both quantities for normal: of
    a test that is passed or not, it is a guide. None for fewer than four students, or where there is no value.
    """
    if value is None or students <= MIN_STUDENTS:
        return None
    half = NORMAL_95 / (students - 3) ** 0.5
    middle = float(np.arctanh(np.clip(value, -0.999999, 0.999999)))
    return float(np.tanh(middle - half)), float(np.tanh(middle + half))


def in_words(value: float | None, students: int) -> str:
    """Say what a discrimination means, by Ebel's rule of thumb (0.2, 0.3, 0.4), as far as so many students can tell.

    The rule is applied to the lower end of the `interval`: a class of twelve may show a high value by chance.
    """
    between = interval(value, students)
    if between is None:
        return "cannot be told"
    low, high = between
    if high < 0:
        return "negative: look at this test"
    if low <= 0:
        return "too few students to tell"
    limits = ((0.4, "very good"), (0.3, "good"), (0.2, "fair"))
    return next((word for limit, word in limits if low >= limit), "above 0; how far, more students would tell")
