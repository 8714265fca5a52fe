"""Writes a report into its folder."""

from pathlib import Path

from proctor.report import tables
from proctor.report.gather import ClassReport
from proctor.report.page import page
from proctor.report.pictures import pictures


def write(report: ClassReport, folder: Path) -> Path:
    """Write page, tables and pictures into `folder` (made if missing); return the page's path.

    Each file is replaced in one step, the page last: a reader never sees half of one.
    """
    drawn = pictures(report)
    files: dict[str, bytes] = {f"{name}.png": data for name, data in drawn.items()}
    for name, text in (("students", tables.students), ("tests", tables.tests), ("messages", tables.messages)):
        files[f"{name}.csv"] = text(report).encode("utf-8", "replace")  # a folder's name may be no text
    files["index.html"] = page(report, drawn, folder).encode("utf-8", "replace")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        new = folder / f".{name}.new"
        new.write_bytes(data)
        new.replace(folder / name)
    return folder / "index.html"
