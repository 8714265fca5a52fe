"""What the hidden tests of one cell found, and how the graded cell shows it.

Made by `proctor.hidden_tests.session`, written into the notebook by `proctor.plugins.execute`, read again by the
report. nbgrader takes the cell's last result for its points, so a verdict ends in one; everything before it is for
people.
"""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nbformat.v4 import new_output

Outcome = Literal["passed", "failed", "undecided"]
MIME = "application/vnd.proctor.verdict+json"
MARKS = {"passed": "✓", "failed": "✗", "undecided": "?"}
WORDS = {"passed": "passed", "failed": "not passed", "undecided": "not decided yet"}


@dataclass(frozen=True)
class Item:
    """One hidden test: what it asks in the student's words, what came of it, and where to look."""

    name: str
    asked: str
    max_points: float
    outcome: Outcome
    message: str = ""

    @property
    def points(self) -> float:
        """Full points or none: an item is one question. Undecided gives none until a person has looked."""
        return self.max_points if self.outcome == "passed" else 0.0


@dataclass(frozen=True)
class CellVerdict:
    """All items of one test cell, and `notes` of what happened on the way (time limits, ended kernels)."""

    grade_id: str
    max_points: float
    items: tuple[Item, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def points(self) -> float:
        """Points earned, from 0 to `max_points`."""
        return sum(item.points for item in self.items)

    @property
    def undecided(self) -> bool:
        """True if a person has to look."""
        return any(item.outcome == "undecided" for item in self.items)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads again."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "CellVerdict":
        """Raise ``KeyError`` or ``TypeError`` on anything that `to_json` did not write."""
        items = tuple(Item(**item) for item in data["items"])
        return cls(str(data["grade_id"]), float(data["max_points"]), items, tuple(data.get("notes", ())))


def number(points: float) -> str:
    """Points as people write them: ``4``, ``1.5``."""
    return f"{points:.2f}".rstrip("0").rstrip(".")


def as_text(verdict: CellVerdict) -> str:
    """A table for terminals and for notebook viewers without HTML."""
    lines = [f"{verdict.grade_id}: {number(verdict.points)} of {number(verdict.max_points)} points"]
    for item in verdict.items:
        points = f"{number(item.points)}/{number(item.max_points)}"
        lines.append(f"  {MARKS[item.outcome]} {points:>7}  {item.asked}")
        if item.message:
            lines.append(f"             {item.message}")
    return "\n".join(lines)


def as_html(verdict: CellVerdict) -> str:
    """Write the same table for formgrader and JupyterLab; everything in it is escaped.

    Neither has our style sheet, and JupyterLab drops what is not inline. Their pages may be light or dark: a mark
    brings its own background, with a contrast of at least 4.5 to 1 (WCAG AA); all else has the page's own colours.
    """
    rows = "".join(_row(item) for item in verdict.items)
    return (
        '<table class="proctor-verdict" style="text-align: left">'
        f"<caption>{number(verdict.points)} of {number(verdict.max_points)} points</caption>"
        f"<thead><tr>{_cell('th', 'Result')}{_cell('th', 'Points')}{_cell('th', 'What was asked, and where to look')}"
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


COLOURS = {"passed": "#0b6335", "failed": "#a3231a", "undecided": "#6f4700"}


def _row(item: Item) -> str:
    mark = (
        f'<span style="color: #fff; background-color: {COLOURS[item.outcome]}; padding: 1px 6px; white-space: nowrap">'
        f"{MARKS[item.outcome]} {WORDS[item.outcome]}</span>"
    )
    hint = f'<p style="margin: 2px 0 0"><em>{with_code(item.message)}</em></p>' if item.message else ""
    points = f"{number(item.points)} / {number(item.max_points)}"
    cells = _cell("td", mark) + _cell("td", points) + _cell("td", with_code(item.asked) + hint)
    return f'<tr class="proctor-{item.outcome}">{cells}</tr>'


def _cell(tag: str, content: str) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    return f'<{tag}{scope} style="text-align: left; vertical-align: top; padding: 4px 8px">{content}</{tag}>'


def with_code(text: str) -> str:
    """Escape `text`, and show what stands in backticks as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))


def as_outputs(verdict: CellVerdict) -> list[Any]:
    """Outputs of a graded cell: the table, the same as data for the report, then the points as nbgrader reads them."""
    table = {"text/html": as_html(verdict), "text/plain": as_text(verdict), MIME: verdict.to_json()}
    points = {"text/plain": repr(float(verdict.points))}
    return [new_output("display_data", table), new_output("execute_result", points, execution_count=None)]


def read(cell: Any) -> CellVerdict | None:
    """Return the verdict that `as_outputs` put into a graded cell, or None. Only ask cells whose outputs we wrote."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if MIME in data:
            content = data[MIME]
            return CellVerdict.from_json(json.loads(content) if isinstance(content, str) else content)
    return None
