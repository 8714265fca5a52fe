"""Which cell of a submission is which cell of the release: by text, by grade id, by function, by lines in common.

Called by `rebuild`. Each pass takes what the passes before it have left. Only a solution's place is a question of what
a student's code does, so it is answered last, by what its cells define and in which order they would have run.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from proctor.repair import code
from proctor.repair.released import Released

ENOUGH = 0.6  # of the lines of both cells, to be the same cell changed
Matches = dict[int, int]  # from positions in the submission to positions in the release


def grade_id(cell: Any) -> str | None:
    """The grade id that a cell claims."""
    claimed = cell["metadata"].get("nbgrader", {})
    name = claimed.get("grade_id") if isinstance(claimed, dict) else None
    return name if isinstance(name, str) else None


def given_cells(cells: Sequence[Any], released: Sequence[Released]) -> Matches:
    """Match the cells that are no solution with a function: given ones and tests, which are put back, and essays."""
    open_ = {position: one for position, one in enumerate(released) if not one.functions}
    found: Matches = {}

    def take(by: dict[Any, list[int]], key_of: Any) -> None:
        for at, cell in enumerate(cells):
            choices = by.get(key_of(cell), []) if at not in found else []
            choice = next((position for position in choices if position in open_), None)
            if choice is not None:
                found[at] = choice
                del open_[choice]

    own = {position: grade_id_key(one.name) for position, one in open_.items()}
    # The same text twice: the id decides; of each alone, the text does, as ids get lost and mixed up.
    take(_by(open_, lambda position, one: (own[position], code.key(one.source))),
         lambda cell: (grade_id_key(grade_id(cell) or ""), code.key(cell["source"])))  # fmt: skip
    take(_by(open_, lambda _, one: code.key(one.source)), lambda cell: code.key(cell["source"]) or None)
    take(_by(open_, lambda _, one: one.name), grade_id)
    take(_by(open_, lambda position, _: own[position]), lambda cell: grade_id_key(str(cell.get("id", ""))))
    wanted = {name for one in released for name in one.functions}
    asked = {at for at, cell in enumerate(cells) if wanted & code.defined(cell["source"])}
    _take_similar(cells, open_, found, asked)
    return found


def grade_id_key(name: str) -> str:
    """A grade id as the id of a cell can spell it."""
    return name.replace("_", "-")


def _by(released: dict[int, Released], key_of: Any) -> dict[Any, list[int]]:
    found: dict[Any, list[int]] = defaultdict(list)
    for position, one in released.items():
        found[key_of(position, one)].append(position)
    return found


def _take_similar(cells: Sequence[Any], open_: dict[int, Released], found: Matches, asked: set[int]) -> None:
    """A given cell that was changed and has lost its ids still has most of its lines. `asked` hold solutions."""
    where: dict[str, list[int]] = defaultdict(list)
    for position, one in open_.items():
        for line in _lines(one.source):
            where[line].append(position)
    for at, cell in enumerate(cells):
        if at in found or at in asked or not open_ or len(cell["source"]) > code.MAX_SOURCE:
            continue
        lines = _lines(cell["source"])
        shared = Counter(position for line in lines for position in where.get(line, ()) if position in open_)
        for position, number in shared.most_common(1):
            if number >= ENOUGH * max(len(lines), len(_lines(open_[position].source))):
                found[at] = position
                del open_[position]


def _lines(source: str) -> set[str]:
    return {code.key(line) for line in source.splitlines()} - {""}


def defines(cell: Any, one: Released) -> bool:
    """Whether a code cell defines a function of a solution cell, be it as it was released."""
    return cell["cell_type"] == "code" and bool(one.functions & code.defined(cell["source"]))


def candidates(cells: Sequence[Any], one: Released) -> list[int]:
    """Positions of the code cells that define the functions of a solution cell, other than as they were released.

    Where none does: of those that give its name something else to call, which is as good.
    """
    found = [
        at
        for at, cell in enumerate(cells)
        if defines(cell, one) and not code.implements_nothing(cell["source"], one.source)
    ]
    return found or [
        at
        for at, cell in enumerate(cells)
        if cell["cell_type"] == "code" and one.functions & code.assigned(cell["source"])
    ]


def solution(cells: Sequence[Any], choices: Sequence[int], one: Released, test: int | None) -> int | None:
    """Which of the cells that define a function takes its place: the one that its test would have found.

    That is the last one above the test; a definition that never ran before the test wins only where there is no other.
    """
    above = [at for at in choices if test is None or at < test]
    named = [at for at in above if grade_id(cells[at]) == one.name]
    best = named or above or list(choices)
    return best[-1] if best else None


def longest_rising(numbers: Sequence[int]) -> set[int]:
    """The most numbers that can stay where they are while the others move. All are different."""
    ends: list[int] = []
    chain: list[int] = []
    before: list[int] = []
    for at, number in enumerate(numbers):
        place = bisect_left(ends, number)
        before.append(chain[place - 1] if place else -1)
        ends[place : place + 1] = [number]
        chain[place : place + 1] = [at]
    at, kept = chain[-1] if chain else -1, set()
    while at >= 0:
        kept.add(numbers[at])
        at = before[at]
    return kept
