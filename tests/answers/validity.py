"""How good the hidden tests are as a classifier, by test cell: the table of docs/validity.md.

An answer is right *for a cell* when the function that the cell asks for is right in it. ``test_training_run`` asks for
all three together: it may pass or fail a wrong answer, because some mistakes do no harm there or cancel each other.

`make validity` grades the catalogue and writes its numbers, and those of the mutants, into the page. Tests keep them true.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import catalogue
import mutants
import results

PAGE = Path(__file__).parents[2] / "docs" / "validity.md"


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


def rewritten(page: str, *tables: str, right: int, wrong: int) -> str:
    """Put tables in the place of those with the same first line, and the numbers of answers where they are said."""
    for new in tables:
        head = re.escape(new.splitlines()[0])
        page = re.sub(rf"^{head}$\n(\|.*\n)*", lambda _, new=new: f"{new}\n", page, flags=re.MULTILINE)
    return re.sub(r"\d+ right answers and \d+ wrong ones", f"{right} right answers and {wrong} wrong ones", page)


def main() -> None:
    """Grade the catalogue and bring the page up to date; exit status 1, and no change, if an answer is misjudged."""
    answers = catalogue.load()
    graded = results.of_answers(answers)
    misjudged = [row.cell for row in rows(answers, graded) if (row.accepted, row.rejected) != (row.right, row.wrong)]
    print(table(answers, graded))
    if misjudged or elsewhere(answers, graded):
        sys.exit(f"misjudged: {misjudged or elsewhere(answers, graded)}")
    right = sum(answer.right for answer in answers)
    tables = table(answers, graded), mutants.table(mutants.every())
    page = rewritten(PAGE.read_text(encoding="utf-8"), *tables, right=right, wrong=len(answers) - right)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
