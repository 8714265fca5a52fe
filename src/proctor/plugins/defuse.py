"""A graded notebook that can do nothing in viewers that are not ours.

Formgrader shows a student's Markdown cell as it is, so that a script in it would run in the instructor's session and
could set grades; and it serves the files beside the notebook.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

from nbformat import from_dict
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_locked

from proctor.render.markdown import as_typed, is_harmless, with_plain_pictures
from proctor.results.in_notebook import METADATA

MAX_MARKDOWN_TOGETHER = 100_000  # of a notebook's cells that are not locked
KEPT = {"kernelspec", METADATA}  # of a notebook's metadata
PLAIN = {
    ".ipynb",
    ".txt",
    ".csv",
    ".tsv",
    ".json",
    ".py",
    ".md",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".npy",
    ".npz",
    ".pdf",
}


class RemovePages(NbGraderPreprocessor):  # type: ignore[misc]
    """Remove files from ``autograded/`` that are no plain data: by list, as browsers run what has one of many names.

    The first of nbgrader's sanitize preprocessors. Formgrader would serve a page that a student hands in beside the
    notebook as if it were its own. What is the author's, byte for byte, stays. A notebook that is run finds all.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Look at the files beside the graded copy; `nb` stays as it is."""
        names, course = resources["nbgrader"], CourseDirectory(config=self.config)
        graded = Path(course.format_path(course.autograded_directory, names["student"], names["assignment"]))
        source = Path(course.format_path(course.source_directory, ".", names["assignment"]))
        for path in graded.rglob("*"):
            if (
                path.is_file()
                and path.suffix.lower() not in PLAIN
                and not _same(path, source / path.relative_to(graded))
            ):
                path.unlink()
        return nb, resources


def _same(path: Path, other: Path) -> bool:
    return other.is_file() and path.stat().st_size == other.stat().st_size and path.read_bytes() == other.read_bytes()


class DefuseMarkdown(NbGraderPreprocessor):  # type: ignore[misc]
    """Show a student's Markdown cell as typed text in ``autograded/`` if it holds more than Markdown.

    One of nbgrader's autograde preprocessors. ``submitted/`` keeps what was handed in, and locked cells, which
    nbgrader has restored by now, keep the HTML that their author wrote.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Defuse every cell, and drop what viewers show of a notebook's metadata: title, authors, state of widgets."""
        self._room = MAX_MARKDOWN_TOGETHER
        for name in set(nb.metadata) - KEPT:
            del nb.metadata[name]
        nb, resources = super().preprocess(nb, resources)
        return nb, resources

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Defuse one cell in place."""
        if cell.cell_type != "markdown" or is_locked(cell):
            return cell, resources
        if cell.get("attachments"):
            with suppress(Exception):  # attachments of any form: then the cell is shown as typed
                cell.source, attached = with_plain_pictures(cell.source, cell.attachments)
                cell.attachments = from_dict(attached)
        self._room -= len(cell.source)
        if self._room < 0 or not _safely_harmless(cell):
            cell.source = as_typed(cell.source)
            cell.pop("attachments", None)
            self.log.warning(
                "A Markdown cell holds HTML, a script, a broken picture or too much: it is shown as typed."
            )
        return cell, resources


def _safely_harmless(cell: Any) -> bool:
    try:
        return is_harmless(cell.source, cell.get("attachments"))
    except Exception:  # noqa: BLE001 - attachments of any form, texts that break the parser: then it is not
        return False
