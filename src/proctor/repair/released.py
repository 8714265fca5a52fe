"""What was released and what came of it, as data: the cells of the release, and the notebook that was meant."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from proctor.repair import code
from proctor.results.flag import Flag


@dataclass(frozen=True)
class Released:
    """A cell of the released notebook as its student saw it; `tests` says whether it gives points by tests.

    `whole` is the cell with its hidden part: an instructor hands in the source to try it.
    """

    name: str
    cell_type: str
    source: str
    solution: bool = False
    locked: bool = True
    tests: bool = False
    whole: str = ""

    @cached_property
    def functions(self) -> frozenset[str]:
        """What a student is to write in this cell."""
        return frozenset(code.defined(self.source)) if self.solution and self.cell_type == "code" else frozenset()


@dataclass(frozen=True)
class Meant:
    """The cells that a student meant, each with the grade id it stands for, and what was done to come there.

    `flags` holds one flag a kind of repair. `in_doubt` names test cells whose points a person has to confirm.
    `is_another` says that the notebook has nothing of the release.
    """

    cells: list[Any]
    ids: list[str | None]
    flags: tuple[Flag, ...] = ()
    in_doubt: tuple[str, ...] = ()
    is_another: bool = False
