"""The notebook that a student meant: given cells in their order, the student's code where it takes effect.

Called by `proctor.autograde.restore` before anything is run. Nothing of a student's is thrown away but a stub that was
released, and nothing is gained that the student's own code does not earn: a definition moves up only where the test
would have found none, and text becomes code only where no code defines the function.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from proctor.repair import code, edit, match, prepare, text
from proctor.repair.released import Meant, Released
from proctor.results.flag import Flag, FlagKind

FEW = 10  # the part of the given cells, one of ten, that another notebook can have in common with this one


def meant(cells: Sequence[Any], released: Sequence[Released]) -> Meant:
    """Match `cells` with the release and build the notebook that was meant. `cells` themselves stay as they are."""
    try:
        return _Rebuild(cells, released).result()
    finally:
        code.forget({text for one in released for text in (one.source, one.whole)})


class _Rebuild:
    """One submission on its way: its cells, which released cell each stands for, and what was done."""

    def __init__(self, cells: Sequence[Any], released: Sequence[Released]) -> None:
        self.released = released
        self.cells: list[Any] = [_copy(cell) for cell in cells]
        self.done: dict[FlagKind, list[str]] = {}
        self.in_doubt: list[str] = []

    def result(self) -> Meant:
        """Go the steps, each on what the one before has made."""
        self.cells = prepare.joined(self.cells, self._wanted(), self._note)
        self.cells = prepare.cut(self.cells, self.released, self._note)
        self._text_to_code()
        self.found = match.given_cells(self.cells, self.released)
        is_another = self._is_another()
        self._keep_additions()
        self._place_solutions()
        self._drop()
        ids = self._lift_helpers(self._order())
        flags = tuple(Flag(kind, names=tuple(dict.fromkeys(names))) for kind, names in self.done.items())
        return Meant(self.cells, ids, flags, tuple(dict.fromkeys(self.in_doubt)), is_another)

    def _is_another(self) -> bool:
        """Whether this is another notebook: hardly a given cell is there, no grade id, and no function asked for."""
        ids = {one.name for one in self.released}
        if not ids or any(match.grade_id(cell) in ids for cell in self.cells):
            return False
        there = (match.defines(cell, one) for one in self._solutions() for cell in self.cells)
        return len(self.found) * FEW <= len(self.released) and not any(there)

    def _note(self, kind: FlagKind, name: str) -> None:
        self.done.setdefault(kind, []).append(name)

    def _solutions(self) -> list[Released]:
        return [one for one in self.released if one.functions]

    def _wanted(self) -> set[str]:
        return {name for one in self._solutions() for name in one.functions}

    def _keep_additions(self) -> None:
        """What a student has written into a given cell goes above it; the given cell will be as it was released."""
        given = [one for one in self.released if one.locked and one.cell_type == "code"]
        # Checks may put others in the place of what is asked for.
        taken = {name for one in given for name in code.names(one.source)} - self._wanted()
        made: list[Any] = []
        found: match.Matches = {}
        for at, cell in enumerate(self.cells):
            one = self.released[self.found[at]] if at in self.found else None
            if (
                one is not None
                and one in given
                and cell["cell_type"] == "code"
                and code.key(cell["source"]) not in (code.key(one.source), code.key(one.whole))
            ):
                kept = edit.additions(cell["source"], one.source, taken)
                if kept:
                    self._note("kept", one.name)
                    made.append(prepare.new_cell(kept, cell, "kept"))
            if at in self.found:
                found[len(made)] = self.found[at]
            made.append(cell)
        self.cells, self.found = made, found

    def _text_to_code(self) -> None:
        """A solution in a text cell is code again if no code cell defines its function."""
        for one in self._solutions():
            if match.candidates(self.cells, one):
                continue
            for at, cell in enumerate(self.cells):
                source = text.code_in(cell["source"], one.functions) if cell["cell_type"] != "code" else ""
                source = edit.without_stub(source, one.source)
                defines = code.defined(source) | code.assigned(source)
                if one.functions & defines and not code.implements_nothing(source, one.source):
                    self.cells[at] = {**prepare.new_cell(source, cell, "code"), "metadata": cell["metadata"]}
                    self._note("was text", one.name)
            if not match.candidates(self.cells, one) and any(map(_is_commented_out(one), self.cells)):
                self._note("commented out", one.name)
                self.in_doubt.append(self._test_of(one) or one.name)

    def _test_of(self, one: Released) -> str | None:
        after = self.released[self.released.index(one) + 1 :]
        return next((other.name for other in after if other.tests), None)

    def _place_solutions(self) -> None:
        """Say which cell stands for each solution; where another cell does, the released stub is left out."""
        tests = {self.released[number].name: at for at, number in self.found.items()}
        self.dropped: set[int] = set()
        self.lifted: set[int] = set()
        for number, one in enumerate(self.released):
            if not one.functions:
                continue
            test = tests.get(self._test_of(one) or "")
            stubs = [at for at, cell in enumerate(self.cells) if _is_stub(cell, one)]
            choices = [at for at in match.candidates(self.cells, one) if not self._is_given(at)]
            chosen = match.solution(self.cells, choices, one, test)
            if chosen is None:
                own = [at for at, cell in enumerate(self.cells) if match.grade_id(cell) == one.name]
                chosen = next((at for at in (*own, *stubs) if at not in self.found), None)
            elif stubs:
                self.dropped.update(stubs)
                self._note("stub", one.name)
            if chosen is not None and choices and test is not None and chosen > test:
                chosen = self._lift(chosen, one)
            if chosen is not None and chosen not in self.found:
                self.found[chosen] = number

    def _is_given(self, at: int) -> bool:
        return at in self.found and not self.released[self.found[at]].functions

    def _lift(self, at: int, one: Released) -> int:
        """A cell that does more than define stays where it is, and its definitions go up without the rest."""
        cell = self.cells[at]
        definitions = edit.additions(cell["source"], "", set())
        if code.is_quiet(cell["source"]) or not one.functions & (
            code.defined(definitions) | code.assigned(definitions)
        ):
            return at
        self.cells.append(prepare.new_cell(definitions, cell, "lifted"))
        self.lifted.add(len(self.cells) - 1)
        return len(self.cells) - 1

    def _drop(self) -> None:
        kept = [at for at in range(len(self.cells)) if at not in self.dropped]
        self.lifted = {new for new, at in enumerate(kept) if at in self.lifted}
        self.found = {new: self.found[at] for new, at in enumerate(kept) if at in self.found}
        self.cells = [self.cells[at] for at in kept]

    def _order(self) -> list[str | None]:
        """Bring the matched cells into the order of the release; each takes along the student's cells below it."""
        blocks = self._blocks()
        sequence = [number for number, _ in blocks]
        still = match.longest_rising(sequence)
        moved = [number for number in sequence if number not in still and number >= 0]
        for number in moved:
            self._note("moved", self.released[number].name)
        ordered = [at for _, block in sorted(blocks, key=lambda pair: pair[0]) for at in block]
        names = [self.released[self.found[at]].name if at in self.found else None for at in ordered]
        self.cells = [self.cells[at] for at in ordered]
        for cell, name in zip(self.cells, names, strict=True):
            if name is not None and match.grade_id(cell) != name:
                self._note("matched", name)
        return names

    def _lift_helpers(self, names: list[str | None]) -> list[str | None]:
        """Put what a solution uses, and only the student's cells below its test define, between the two."""
        given = {one.name for one in self.released if one.locked}
        for one in self._solutions():
            test = self._test_of(one)
            if one.name not in names or test not in names[names.index(one.name) :]:
                continue
            at, end = names.index(one.name), names.index(test)
            known = {
                name for cell in self.cells[:end] if cell["cell_type"] == "code" for name in code.names(cell["source"])
            }
            missing = code.used(self.cells[at]["source"]) - known
            for cell, name in list(zip(self.cells, names, strict=True))[end + 1 :] if missing else []:
                if (
                    not missing
                    or name in given
                    or cell["cell_type"] != "code"
                    or not missing & code.names(cell["source"])
                ):
                    continue
                helper = edit.additions(cell["source"], "", known)
                made = code.names(helper)
                if missing & made:
                    at += 1
                    self.cells.insert(at, prepare.new_cell(helper, cell, "lifted"))
                    names.insert(at, None)
                    self._note("moved", f"what {one.name} uses")
                    known |= made
                    missing = (missing | code.used(helper)) - known
        return names

    def _blocks(self) -> list[tuple[int, list[int]]]:
        """Each matched cell with the unmatched ones below it; a moved solution also has its helpers from above it."""
        blocks: list[tuple[int, list[int]]] = [(-1, [])]
        for at in range(len(self.cells)):
            if at in self.found:
                blocks.append((self.found[at], [at]))
            else:
                blocks[-1][1].append(at)
        still = match.longest_rising([number for number, _ in blocks])
        for (_, above), (number, block) in pairwise(blocks):
            if number in still or not self.released[number].functions or block[0] in self.lifted:
                continue
            while above and above[-1] not in self.found and self._is_helper(above[-1]):
                block.insert(0, above.pop())
        return blocks

    def _is_helper(self, at: int) -> bool:
        cell = self.cells[at]
        return cell["cell_type"] == "code" and code.is_quiet(cell["source"])


def _copy(cell: Any) -> Any:
    return {**cell, "metadata": dict(cell["metadata"])}


def _is_stub(cell: Any, one: Released) -> bool:
    return cell["cell_type"] == "code" and code.implements_nothing(cell["source"], one.source)


def _is_commented_out(one: Released) -> Any:
    def is_it(cell: Any) -> bool:
        return cell["cell_type"] == "code" and text.only_in_text(cell["source"], one.functions, one.source)

    return is_it
