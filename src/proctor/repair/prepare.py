"""Cells made ready to be matched: a split function is one again, and what may fail stands apart from what is defined.

Called by `rebuild` first of all.
"""

from collections.abc import Callable, Sequence
from typing import Any

from proctor.repair import code, edit
from proctor.repair.released import Released
from proctor.results.flag import FlagKind

MAX_PARTS = 10  # of a function that is put together again
Note = Callable[[FlagKind, str], None]


def joined(cells: Sequence[Any], wanted: set[str], note: Note) -> list[Any]:
    """Put the rest of a function that was split back below its beginning."""
    made: list[Any] = []
    parts = 1
    for cell in cells:
        above = made[-1] if made else None
        if (
            above is not None
            and parts < MAX_PARTS
            and above["cell_type"] == cell["cell_type"] == "code"
            and edit.continues(cell["source"], above["source"], wanted)
        ):
            above["source"] += "\n" + cell["source"]
            note("joined", sorted(wanted & code.defined(above["source"]))[-1])
            parts += 1
        else:
            made.append(cell)
            parts = 1
    return made


def cut(cells: Sequence[Any], released: Sequence[Released], note: Note) -> list[Any]:
    """Give what may fail above a function a cell of its own; leave out a stub in the cell of what was written."""
    solutions = [one for one in released if one.functions]
    wanted = {name for one in solutions for name in one.functions}
    modules = code.imported(one.source for one in released if one.cell_type == "code")
    made: list[Any] = []
    for cell in cells:
        defines = wanted & code.defined(cell["source"]) if cell["cell_type"] == "code" else None
        if not defines:
            made.append(cell)
            continue
        for one in solutions:
            written = edit.without_stub(cell["source"], one.source)
            if written != cell["source"]:
                note("stub", one.name)
                cell["source"] = written
        parts = edit.pieces(cell["source"], wanted, modules)
        home = next((part for part in parts if wanted & code.defined(part)), cell["source"])
        if len(parts) > 1:
            note("cut", sorted(defines)[0])
        made += [
            {**cell, "source": part} if part is home else new_cell(part, cell, f"cut-{number}")
            for number, part in enumerate(parts)
        ]
    return made


def new_cell(source: str, cell: Any, why: str) -> Any:
    """A code cell made of a part of `cell`; its id is the same whenever the notebook is read."""
    return {
        "id": f"{cell.get('id', 'cell')[:50]}-{why}",
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "execution_count": None,
        "outputs": [],
    }
