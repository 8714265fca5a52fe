"""The class in pictures: distributions of points, and points by time of submission."""

import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from matplotlib.dates import ConciseDateFormatter
from matplotlib.figure import Figure

from proctor.report.gather import ClassReport, Row

INK, BAR = "#1b2430", "#2f6db5"
FEWEST_TIMES = 3
NEAR = timedelta(days=7)  # a due date further away would push everybody to one side


def pictures(report: ClassReport) -> dict[str, bytes]:
    """Return PNG files by name; none where there is nothing to draw."""
    drawn: dict[str, bytes] = {}
    if report.graded:
        drawn["total"] = _png(_total(report))
        drawn["exercises"] = _png(_exercises(report))
    timed = [row for row in report.graded if row.handed_in is not None]
    if len({row.handed_in for row in timed}) >= FEWEST_TIMES:
        drawn["time"] = _png(_by_time(timed, report))
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


def _by_time(rows: Sequence[Row], report: ClassReport) -> Figure:
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    axes = figure.subplots()
    times, totals = [row.handed_in for row in rows], [row.total for row in rows]
    axes.scatter(times, totals, color=BAR, s=22, alpha=0.8)  # type: ignore[arg-type]
    if (
        report.duedate is not None
        and min(filter(None, times)) - NEAR < report.duedate < max(filter(None, times)) + NEAR
    ):
        axes.axvline(report.duedate, color=INK, linestyle="--", label="due")  # type: ignore[arg-type]
        axes.legend(frameon=False)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))  # type: ignore[no-untyped-call]
    axes.set_ylabel("points")
    axes.set_xlabel("handed in (UTC)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title("Total points by time of submission", loc="left")
    return figure


def _plain(text: str) -> str:
    """Keep matplotlib from reading a formula into a name."""
    return text.replace("$", r"\$")


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=130, metadata={"Software": None})
    return out.getvalue()
