"""A verdict as the outputs of its test cell: a table for people, then the points as nbgrader reads them.

nbgrader takes the cell's last result for its points; everything before it is for people.
"""

import html
import re
from typing import Any

from nbformat.v4 import new_output

from proctor.render import words
from proctor.render.words import MARKS, WORDS, number
from proctor.results.in_notebook import MIME
from proctor.results.verdict import CellVerdict, Item

COLOURS = {"passed": "#0b6335", "failed": "#a3231a", "undecided": "#6f4700"}


def as_outputs(verdict: CellVerdict) -> list[Any]:
    """Outputs of a graded cell: the table, the same as data for the report, then the points as nbgrader reads them."""
    table = {"text/html": as_html(verdict), "text/plain": as_text(verdict), MIME: verdict.as_data()}
    points = {"text/plain": repr(float(verdict.points))}
    return [new_output("display_data", table), new_output("execute_result", points, execution_count=None)]


def as_text(verdict: CellVerdict) -> str:
    """A table for terminals and for notebook viewers without HTML."""
    lines = [f"{verdict.grade_id}: {number(verdict.points)} of {number(verdict.max_points)} points"]
    for item, message in zip(verdict.items, words.messages(verdict.items), strict=True):
        points = f"{number(item.points)}/{number(item.max_points)}"
        lines.append(f"  {MARKS[item.outcome]} {points:>7}  {item.asked}")
        if message:
            lines.append(f"             {message}")
    return "\n".join(line for line in lines if line.strip())


def as_html(verdict: CellVerdict) -> str:
    """Write the same table for formgrader and JupyterLab; everything in it is escaped.

    Neither has our style sheet, and JupyterLab drops what is not inline. Their pages may be light or dark: a mark
    brings its own background, with a contrast of at least 4.5 to 1 (WCAG AA); all else has the page's own colours.
    """
    rows = "".join(map(_row, verdict.items, words.messages(verdict.items)))
    return (
        '<table class="proctor-verdict" style="text-align: left">'
        f"<caption>{number(verdict.points)} of {number(verdict.max_points)} points</caption>"
        f"<thead><tr>{_cell('th', 'Result')}{_cell('th', 'Points')}{_cell('th', 'What was asked, and where to look')}"
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(item: Item, message: str) -> str:
    mark = (
        f'<span style="color: #fff; background-color: {COLOURS[item.outcome]}; padding: 1px 6px; white-space: nowrap">'
        f"{MARKS[item.outcome]} {WORDS[item.outcome]}</span>"
    )
    hint = f'<p style="margin: 2px 0 0"><em>{with_code(message)}</em></p>' if message else ""
    points = f"{number(item.points)} / {number(item.max_points)}"
    cells = _cell("td", mark) + _cell("td", points) + _cell("td", with_code(item.asked) + hint)
    return f'<tr class="proctor-{item.outcome}">{cells}</tr>'


def _cell(tag: str, content: str) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    return f'<{tag}{scope} style="text-align: left; vertical-align: top; padding: 4px 8px">{content}</{tag}>'


def with_code(text: str) -> str:
    """Escape `text`, and show what stands in backticks as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))
