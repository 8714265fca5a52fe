"""How good the hidden tests are as a classifier, by test cell: the table of docs/validity.md.

An answer is right *for a cell* when the function that the cell asks for is right in it. ``test_training_run`` asks for
all three together: it may pass or fail a wrong answer, because some mistakes do no harm there or cancel each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import catalogue


@dataclass(frozen=True)
class Row:
    """One test cell: how many answers were right or wrong for it, and what became of them."""

    cell: str
    right: int
    accepted: int
    wrong: int
    rejected: int


def rows(answers: Sequence[catalogue.Answer], graded: Mapping[str, Any]) -> list[Row]:
    """Count, for each test cell, right answers accepted (full points) and wrong ones rejected (less)."""
    return [_row(cell, answers, graded) for cell in catalogue.FULL]


def _row(cell: str, answers: Sequence[catalogue.Answer], graded: Mapping[str, Any]) -> Row:
    function = cell.removeprefix("test_")
    if function in catalogue.FUNCTIONS:
        wrong = [answer for answer in answers if function in answer.at_fault]
        right = [answer for answer in answers if function not in answer.at_fault]
    else:
        right = [answer for answer in answers if answer.right]
        wrong = [answer for answer in answers if answer.points[cell] < catalogue.FULL[cell]]
    accepted = [answer for answer in right if cell not in graded[answer.name].lost()]
    rejected = [answer for answer in wrong if cell in graded[answer.name].lost()]
    return Row(cell, len(right), len(accepted), len(wrong), len(rejected))


def elsewhere(answers: Sequence[catalogue.Answer], graded: Mapping[str, Any]) -> dict[str, set[str]]:
    """Answers that lost points in an exercise that was right, with these test cells."""
    found = {}
    for answer in answers:
        allowed = {f"test_{function}" for function in answer.at_fault}
        if not answer.right:
            allowed.add("test_training_run")
        if graded[answer.name].lost() - allowed:
            found[answer.name] = graded[answer.name].lost() - allowed
    return found


def table(answers: Sequence[catalogue.Answer], graded: Mapping[str, Any]) -> str:
    """Write the counts as a Markdown table."""
    lines = ["| test cell | right for it | accepted | wrong for it | rejected |", "|:--|--:|--:|--:|--:|"]
    lines += [
        f"| `{row.cell}` | {row.right} | {row.accepted} | {row.wrong} | {row.rejected} |"
        for row in rows(answers, graded)
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    from conftest import SEED, grade

    every = catalogue.load()
    results = {name: result for (name, _), result in grade(every, [SEED]).items()}
    print(table(every, results))
    print(f"\nPoints lost in an exercise that was right: {elsewhere(every, results) or 'none'}.")
