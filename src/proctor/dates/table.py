"""CSV files that people make: in a spreadsheet, by hand, or by downloading one.

Spreadsheets of some languages write semicolons or tabs, a byte order mark, UTF-16 or Windows' own encoding; and what is
copied from macOS may have its accents beside the letters, which makes two ids of one.
"""

import codecs
import csv
import io
import re
import unicodedata
from pathlib import Path

from proctor.errors import CourseError

LARGEST = 10 << 20  # bytes
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
NO_TEXT = re.compile(r"[\0-\x08\x0e-\x1f]")
SAYS_WHICH = "sep="  # how the first line may begin


def read(path: Path) -> list[tuple[int, list[str]]]:
    """Return lines that are not empty, each with its number; the first holds the columns' names, in small letters.

    Raises `CourseError` for a file that is no table.
    """
    found = _lines(path)
    return [(number, [field.lower() for field in line]) for number, line in found[:1]] + found[1:]


def with_commas(path: Path) -> str:
    """Return the same table for programs that know commas and UTF-8 only. Raises `CourseError`, too."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(line for _, line in _lines(path))
    return out.getvalue()


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    try:
        text = _decoded(path.read_bytes()) if path.stat().st_size <= LARGEST else "\0"
    except OSError as error:
        raise CourseError(f"{path}: cannot be read ({error.strerror}): give yourself the right to") from None
    if NO_TEXT.search(text):
        raise CourseError(f"{path}: no text, or too large: save it as CSV (UTF-8)")
    lines = list(io.StringIO(text, newline=""))
    head = lines[0] if lines else ""
    if head.lower().startswith(SAYS_WHICH):
        delimiter, lines[0] = head.strip()[len(SAYS_WHICH) :] or ",", "\n"
    else:
        delimiter = "," if "," in head else max(";\t", key=head.count)
    try:
        rows = csv.reader(lines, delimiter=delimiter)
        found = [(rows.line_num, [field.strip() for field in row]) for row in rows]
    except (csv.Error, TypeError) as error:  # TypeError: what is named as separator is none
        raise CourseError(f"{path}: cannot be read as CSV: {error}") from None
    return [(number, row) for number, row in found if any(row)]


def _decoded(raw: bytes) -> str:
    encoding = next((name for mark, name in MARKS.items() if raw.startswith(mark)), "")
    try:
        text = raw.decode(encoding or "utf-8", "replace" if encoding else "strict")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return unicodedata.normalize("NFC", text)
