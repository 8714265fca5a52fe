"""CSV files that a spreadsheet opens without running anything.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break may be run as a formula, and names, ids and
messages are other people's text. As OWASP advises ("CSV Injection"), such a text gets an apostrophe in front.
"""

import csv
import io
from collections.abc import Iterable, Sequence

Value = str | float | int | None


BOM = "\ufeff"  # spreadsheets take a file without it for the system's 8-bit encoding


def to_csv(head: Sequence[str], rows: Iterable[Sequence[Value]], bom: bool = True) -> str:
    """Return a CSV file's text; None is an empty cell, a number is a number, a text is only ever a text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([safe(name) for name in head])
    writer.writerows([_shown(value) for value in row] for row in rows)
    return (BOM if bom else "") + out.getvalue()


def safe(text: str) -> str:
    """Return `text` so that a spreadsheet shows it."""
    text = text.replace("\0", "")
    return f"'{text}" if text.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def _shown(value: Value) -> str | float | int:
    if value is None:
        return ""
    return safe(value) if isinstance(value, str) else round(value, 4)
