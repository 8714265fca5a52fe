"""The catalogue of answers: reads the TOML files beside this one, and takes nothing that it does not know.

An entry holds what a student wrote in place of the reference's functions; a function that is missing is the
reference's. Right answers (``right_*.toml``) earn full points everywhere. A wrong one (``wrong_*.toml``) names the
functions ``at_fault``, the ``points`` of each test cell that is not full, what the student must be able to read there
(``says``), and all ``claims`` of messages that are true of it, by the names of ``messages/claims.toml``.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

HERE = Path(__file__).parent
NOTEBOOK = HERE.parents[1] / "source" / "custom_training_basics" / "custom_training_basics.ipynb"
_CELLS = [cell["metadata"].get("nbgrader", {}) for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]]
FUNCTIONS = tuple(cell["grade_id"] for cell in _CELLS if cell.get("solution"))
FULL = {cell["grade_id"]: float(cell["points"]) for cell in _CELLS if cell.get("grade")}
OF_WRONG = {"at_fault", "points", "says", "claims"}
KEYS = {"name", "why", *OF_WRONG, *FUNCTIONS}


@dataclass(frozen=True)
class Answer:
    """One entry. `code` has the functions that differ from the reference; `points` has all four test cells."""

    name: str
    why: str
    right: bool
    code: dict[str, str]
    at_fault: tuple[str, ...] = ()
    points: dict[str, float] = field(default_factory=lambda: dict(FULL))
    says: dict[str, str] = field(default_factory=dict)
    claims: frozenset[str] = frozenset()


def load(folder: Path = HERE) -> list[Answer]:
    """Read the whole catalogue. Raises ``ValueError``, naming file and entry, on anything that is not as it should be."""
    answers = [
        answer
        for path in sorted(folder.glob("*.toml"))
        for answer in parse(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
    ]
    names = [answer.name for answer in answers]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"names used twice: {', '.join(sorted(twice))}")
    return answers


def parse(document: dict[str, Any], file: str) -> list[Answer]:
    """Make answers of one file's content; `file` says by its name whether they are right."""
    kind = file.split("_")[0]
    if kind not in ("right", "wrong") or set(document) - {"answer"}:
        raise ValueError(f"{file}: a file is called right_* or wrong_* and holds [[answer]] entries only")
    return [_answer(entry, f"{file}, {entry.get('name', 'an entry without a name')}", kind == "right")
            for entry in document.get("answer", [])]  # fmt: skip


def _answer(entry: dict[str, Any], where: str, right: bool) -> Answer:
    needed = {"name", "why"} if right else {"name", "why", *OF_WRONG}
    for problem, keys in (
        ("unknown keys", set(entry) - KEYS),
        ("missing keys", needed - set(entry)),
        ("keys that belong to wrong answers", set(entry) & OF_WRONG if right else set()),
        ("unknown functions at fault", set(entry.get("at_fault", [])) - set(FUNCTIONS)),
        ("unknown test cells", (set(entry.get("points", {})) | set(entry.get("says", {}))) - set(FULL)),
    ):
        if keys:
            raise ValueError(f"{where}: {problem}: {', '.join(sorted(keys))}")
    code = {name: entry[name] for name in FUNCTIONS if name in entry}
    if not code:
        raise ValueError(f"{where}: no function is given")
    points = {**FULL, **{cell: float(value) for cell, value in entry.get("points", {}).items()}}
    return Answer(entry["name"], entry["why"], right, code, tuple(entry.get("at_fault", ())), points,
                  dict(entry.get("says", {})), frozenset(entry.get("claims", ())))  # fmt: skip
