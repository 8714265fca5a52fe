"""CSV files that people make: in a spreadsheet, by hand, or by downloading one."""

import csv
import io
from pathlib import Path

from proctor.errors import CourseError

LARGEST = 10 << 20  # bytes


def read(path: Path) -> list[tuple[int, list[str]]]:
    """Return lines that are not empty, each with its number; the first holds the columns' names, in small letters.

    Raises `CourseError` for a file that is no table.
    """
    try:
        text = path.read_text("utf-8-sig") if path.stat().st_size <= LARGEST else None
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise CourseError(f"{path}: no text in UTF-8, or too large: save it as CSV (UTF-8)")
    head = text.partition("\n")[0]
    delimiter = ";" if ";" in head and "," not in head else ","  # as spreadsheets of some languages write
    try:
        lines = csv.reader(io.StringIO(text), delimiter=delimiter)
        found = [(lines.line_num, [field.strip() for field in line]) for line in lines]
    except csv.Error as error:
        raise CourseError(f"{path}: cannot be read as CSV: {error}") from None
    found = [(number, line) for number, line in found if any(line)]
    return [(number, [field.lower() for field in line]) for number, line in found[:1]] + found[1:]
