"""A notebook that was exported as a script becomes cells again: nbconvert's, jupytext's, Colab's, or one long text.

Called by `proctor.collect.elsewhere`. Where one cell ends and the next begins is told by the exporter's marks and by
what was released: statements in a row that are a released cell are that cell again.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from proctor.repair import code

MARK = re.compile(r"^# (?:In ?\[[\d ]*\]:|%%.*|\+.*|-)[ \t]*$")
MAX_SCRIPT = 1_000_000  # characters


def cells_of(script: str, released: Sequence[str]) -> list[dict[str, Any]]:
    """Return the cells of a notebook; `released` are the sources of the released cells of code."""
    try:
        known = _by_first_statement(released)
        chunks = _chunks(script.replace("\r\n", "\n")[:MAX_SCRIPT].split("\n"))
        return [cell for chunk in chunks for cell in _cells(chunk, known)]
    finally:
        code.forget()


def _by_first_statement(released: Sequence[str]) -> dict[str, list[list[str]]]:
    """The released cells as texts of their statements, the longest first."""
    found: dict[str, list[list[str]]] = {}
    for source in released:
        statements = [code.same(node) for node in code.body(source) or ()]
        if statements:
            found.setdefault(statements[0], []).append(statements)
    return {first: sorted(cells, key=len, reverse=True) for first, cells in found.items()}


def _chunks(lines: Sequence[str]) -> list[str]:
    """The script cut at its marks; without any, and if Python cannot read it as a whole, where a paragraph begins."""
    marks = [number for number, line in enumerate(lines) if MARK.match(line)]
    if not marks and code.body("\n".join(lines)) is None:
        marks = [
            number
            for number in range(1, len(lines))
            if not lines[number - 1].strip() and lines[number][:1].strip() and not lines[number].startswith(")")
        ]
    ends = [*marks, len(lines)]
    return ["\n".join(lines[start:end]) for start, end in zip([0, *marks], ends, strict=True)]


def _cells(chunk: str, known: dict[str, list[list[str]]]) -> Iterator[dict[str, Any]]:
    statements = code.body(chunk)
    if not statements:
        if chunk.strip():
            yield _cell("code", chunk)
        return
    texts = [code.same(node) for node in statements]
    lines = chunk.split("\n")
    done, at = 0, 0  # lines that are in a cell, and the statement that is looked at
    waiting = 0  # the first statement that is in no cell yet
    while at < len(statements):
        prose = code.text_of(statements[at])
        long = next((len(cell) for cell in known.get(texts[at], ()) if texts[at : at + len(cell)] == cell), 0)
        if prose is None and not long:
            at += 1
            continue
        if waiting < at:
            end = statements[at - 1].end_lineno or 0
            yield _cell("code", "\n".join(lines[done:end]))
            done = end
        at += long or 1
        end = statements[at - 1].end_lineno or 0
        yield _cell("code", "\n".join(lines[done:end])) if long else _cell("markdown", prose or "")
        done, waiting = end, at
    if waiting < len(statements):
        yield _cell("code", "\n".join(lines[done:]))


def _cell(kind: str, source: str) -> dict[str, Any]:
    more: dict[str, Any] = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source.strip("\n"), **more}
