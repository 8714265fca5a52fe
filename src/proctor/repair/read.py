"""A notebook file of any form becomes one of today's format: byte order marks, UTF-16, old formats, missing keys.

Asked by `proctor.course.hand_in` before grading and by the exporter through which nbgrader reads a submission. Outputs
are left out: nobody grades them, and other editors write some that nbformat refuses. Who shows those of cells that are
not run again (`proctor.plugins.execute`) asks for them by themselves.
"""

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any

import nbformat

from proctor.results.in_notebook import METADATA

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SURROGATE = re.compile("[\ud800-\udfff]")
ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
KINDS = ("code", "markdown", "raw")
# More than any honest notebook has: each cell of code is parsed, and compared with what was released.
MAX_CELLS = 2_000
MAX_CODE = 1_000_000  # characters in cells of code


class TooMuch(ValueError):
    """A notebook that is too large to be looked at cell by cell; the message says which limit it is past."""


def text_of(content: bytes) -> str:
    """Decode a file as the editor that wrote it would. Raises ``ValueError``."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    if content[:1] == b"\0" or content[1:2] == b"\0":  # UTF-16 whose mark is lost: JSON begins with an ASCII character
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le")
    return content.decode("utf-8")


def notebook_of(content: bytes) -> Any:
    """Return the notebook in a file, in format 4.5.

    Raises ``ValueError`` (or ``RecursionError``) if there is none, and `TooMuch` if it is past a limit.
    """
    cells, about = _read(content)
    made = _cells(cells)
    if sum(len(cell["source"]) for cell in made if cell["cell_type"] == "code") > MAX_CODE:
        raise TooMuch(f"holds more than {MAX_CODE:,} characters of code")
    nb = {"cells": made, "metadata": _language(_object(about)), "nbformat": 4, "nbformat_minor": 5}
    return nbformat.from_dict(nb)


def outputs_of(content: bytes) -> dict[str, tuple[str, list[Any]]]:
    """Return the text and the outputs of each code cell in a file, by the ids that `notebook_of` gives the cells.

    The outputs may be anything. Raises as `notebook_of` does.
    """
    cells, _ = _read(content)
    return {
        made["id"]: (made["source"], cell["outputs"])
        for made, cell in zip(_cells(cells), cells, strict=True)
        if made["cell_type"] == "code" and isinstance(cell.get("outputs"), list)
    }


def _read(content: bytes) -> tuple[list[Any], object]:
    """The cells of the notebook in a file, and its metadata, as they stand there."""
    data = json.loads(text_of(content))
    if not isinstance(data, dict):
        raise ValueError("no object")
    if "cells" not in data and "worksheets" in data:
        data = _from_version_3(data)
    cells = data.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise ValueError("no cells")
    if len(cells) > MAX_CELLS:
        raise TooMuch(f"holds more than {MAX_CELLS:,} cells")
    return cells, data.get("metadata")


def _from_version_3(data: dict[str, Any]) -> dict[str, Any]:
    sheets = data["worksheets"]
    if not isinstance(sheets, list) or not all(isinstance(sheet, dict) for sheet in sheets):
        raise ValueError("no worksheets")
    cells: list[Any] = []
    for cell in (cell for sheet in sheets for cell in sheet.get("cells", [])):
        if not isinstance(cell, dict):
            raise ValueError("no cell")
        source = cell.get("source", cell.get("input", ""))
        if cell.get("cell_type") == "heading":
            level = cell.get("level", 1)
            mark = "#" * (level if isinstance(level, int) and 0 < level < 7 else 1)
            cell, source = {**cell, "cell_type": "markdown"}, f"{mark} {_joined(source)}"
        cells.append({**cell, "source": source})
    return {**data, "cells": cells}


def _language(about: Mapping[str, Any]) -> dict[str, Any]:
    """What a notebook says of its language, in the form that nbformat knows, and what a step before has noted in it.

    A student's own note of that kind is taken out by the first step (`proctor.plugins.restore`).
    """
    wanted = {"kernelspec": ("name", "display_name", "language"), "language_info": ("name",)}
    told = {part: {key: _object(about.get(part)).get(key) for key in keys} for part, keys in wanted.items()}
    known = {part: keys for part, keys in told.items() if all(isinstance(value, str) for value in keys.values())}
    return _plain({**known, **({METADATA: about[METADATA]} if isinstance(about.get(METADATA), dict) else {})})


def _cells(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    used: set[str] = set()
    return [_cell(cell, number, used) for number, cell in enumerate(cells, 1)]


def _cell(cell: dict[str, Any], number: int, used: set[str]) -> dict[str, Any]:
    kind = cell.get("cell_type")
    kind = kind if kind in KINDS else "code" if kind is None and "outputs" in cell else "raw"
    made = {
        "id": _id(cell.get("id"), number, used),
        "cell_type": kind,
        "metadata": _metadata(cell),
        "source": _joined(cell.get("source", "")),
    }
    if kind == "code":
        made |= {"execution_count": None, "outputs": []}
    elif isinstance(cell.get("attachments"), dict):
        made["attachments"] = _plain(_attachments(cell["attachments"]))
    return made


def _metadata(cell: dict[str, Any]) -> dict[str, Any]:
    """What a cell says of itself that matters here, without what nbgrader or nbformat would stumble over."""
    metadata = _plain(_object(cell.get("metadata")))
    kept = {name: metadata[name] for name in ("deletable", "editable") if isinstance(metadata.get(name), bool)}
    if isinstance(_object(metadata.get("nbgrader")).get("grade_id"), str):
        kept["nbgrader"] = metadata["nbgrader"]
    return kept


def _attachments(given: dict[str, Any]) -> dict[str, Any]:
    """Those of the form that nbformat knows: texts, or lists of them, by kind, by name."""
    kinds = (
        (name, {kind: data for kind, data in _object(found).items() if _is_text(data)}) for name, found in given.items()
    )
    return {name: found for name, found in kinds if found}


def _is_text(data: object) -> bool:
    return isinstance(data, str) or (isinstance(data, list) and all(isinstance(line, str) for line in data))


def _id(wanted: object, number: int, used: set[str]) -> str:
    """The cell's own id if it is one and nobody has it yet, or one made of its number."""
    name = wanted if isinstance(wanted, str) and ID.fullmatch(wanted) and wanted not in used else f"cell-{number}"
    while name in used:
        name += "-"
    used.add(name)
    return name


def _joined(source: object) -> str:
    given = source if isinstance(source, list) else [source]
    lines = [line for line in given if isinstance(line, str)]
    if len(lines) < len(given):
        raise ValueError("a cell without text")
    text = SURROGATE.sub("\N{REPLACEMENT CHARACTER}", "".join(lines))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata without what cannot be written as UTF-8."""
    text = SURROGATE.sub("\N{REPLACEMENT CHARACTER}", json.dumps(value, ensure_ascii=False))
    made: dict[str, Any] = json.loads(text)
    return made
