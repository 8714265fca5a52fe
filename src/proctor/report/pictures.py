"""The class in pictures: distributions of points, and what each hidden test passed."""

import io
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from proctor.report.gather import ClassReport, HiddenTest

INK, BAR, PASSED, UNDECIDED = "#1b2430", "#2f6db5", "#0b6335", "#b98a2f"


def pictures(report: ClassReport) -> dict[str, bytes]:
    """Return PNG files by name; none where there is nothing to draw."""
    drawn: dict[str, bytes] = {}
    if report.graded:
        drawn["total"] = _png(_total(report))
        drawn["exercises"] = _png(_exercises(report))
    if report.tests:
        drawn["tests"] = _png(_tests(report.tests))
    return drawn


def _total(report: ClassReport) -> Figure:
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    totals = [row.total for row in report.graded if row.total is not None]
    _histogram(axes, totals, report.max_score)
    axes.axvline(sum(totals) / len(totals), color=INK, linestyle="--", label=f"mean {sum(totals) / len(totals):.1f}")
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    axes.set_title(f"Total points, {len(totals)} students", loc="left")
    return figure


def _exercises(report: ClassReport) -> Figure:
    names = list(report.exercises)
    columns = min(len(names), 4)
    lines = -(-len(names) // columns)
    figure = Figure(figsize=(2.6 * columns + 0.6, 2.4 * lines + 0.2), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(grid.flat, names, strict=False):
        points = [row.points[name] or 0.0 for row in report.graded if name in row.points]
        _histogram(axes, points, report.exercises[name])
        axes.set_title(_plain(name.removeprefix("test_")), fontsize=10)
    return figure


def _histogram(axes: Any, points: Sequence[float], most: float) -> None:
    """Draw one bar a point (or half or two or more, so that there are at most 25); extra credit goes above `most`."""
    top = max([most, *points, 1.0])
    width = next(width for width in (0.5, 1, 2, 5, 10, 20, 50, 100, top) if top / width <= 25)
    edges = [(place - 0.5) * width for place in range(int(top / width + 1e-9) + 3)]
    axes.hist(points, bins=edges, color=BAR, edgecolor="white", linewidth=0.6)
    axes.set_xlim(edges[0], (int(top / width + 1e-9) + 0.5) * width)
    axes.set_xlabel("points")
    axes.set_ylabel("students")
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_major_locator().set_params(integer=True)
    axes.spines[["top", "right"]].set_visible(False)


def _tests(tests: Sequence[HiddenTest]) -> Figure:
    figure = Figure(figsize=(8, 0.34 * len(tests) + 1.0), layout="constrained")
    axes = figure.subplots()
    known = [100 * (test.passed / max(1, test.passed + test.failed + test.undecided)) for test in tests]
    open_ = [100 * (test.undecided / max(1, test.passed + test.failed + test.undecided)) for test in tests]
    places = range(len(tests))
    axes.barh(places, known, color=PASSED, label="passed")
    if any(open_):
        axes.barh(places, open_, left=known, color=UNDECIDED, hatch="//", edgecolor="white", label="undecided")
    for place, value in zip(places, known, strict=True):
        axes.annotate(f"{value:.0f} %", (101, place), va="center", fontsize=8, color=INK, annotation_clip=False)
    names = [
        f"{test.exercise.removeprefix('test_')}: {test.name.removeprefix('test_').replace('_', ' ')}" for test in tests
    ]
    axes.set_yticks(list(places), [_plain(name)[:60] for name in names], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("students who passed (% of all that were graded)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=8)
    return figure


def _plain(text: str) -> str:
    """Keep matplotlib from reading a formula into a name."""
    return text.replace("$", r"\$")


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=130, metadata={"Software": None})
    return out.getvalue()
