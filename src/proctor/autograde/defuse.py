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
from nbgrader.utils import is_grade, is_locked

from proctor.notebook.picture import pixels_of
from proctor.render.markdown import as_typed, is_harmless, with_plain_pictures, without_headings
from proctor.results.in_notebook import METADATA

MAX_MARKDOWN_TOGETHER = 100_000  # of a notebook's cells that are not locked
KEPT = {"kernelspec", METADATA}  # of a notebook's metadata
KEPT_OF_CELL = {"nbgrader", "deletable", "editable"}
GIVEN = "given"  # the tag of code that its author wrote: formgrader's template shows the beginning of a long one
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
    """Show a student's text cell as it was typed, in ``autograded/``, if it is raw or holds more than Markdown.

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
        """Defuse one cell in place, whatever its type: viewers show raw cells, attachments and tags, too."""
        for name in set(cell.metadata) - KEPT_OF_CELL:
            del cell.metadata[name]
        if cell.cell_type == "code":
            if is_locked(cell) and not is_grade(cell):
                cell.metadata["tags"] = [GIVEN]
            return cell, resources
        cell.pop("outputs", None)
        if is_locked(cell):
            return cell, resources
        was_raw, cell.cell_type = cell.cell_type == "raw", "markdown"
        if cell.get("attachments"):
            with suppress(Exception):  # attachments of any form: then the cell is shown as typed
                cell.source, attached = with_plain_pictures(cell.source, cell.attachments, pixels_of)
                cell.attachments = from_dict(attached)
        self._room -= len(cell.source)
        cell.source = without_headings(cell.source) if not was_raw else cell.source
        if was_raw or self._room < 0 or not _safely_harmless(cell):
            cell.source = as_typed(cell.source)
            cell.pop("attachments", None)
            self.log.warning(
                "A text cell holds HTML, a script, a broken picture or too much, or is raw: it is shown as typed."
            )
        return cell, resources


def _safely_harmless(cell: Any) -> bool:
    try:
        return is_harmless(cell.source, cell.get("attachments"))
    except Exception:  # noqa: BLE001 - attachments of any form, texts that break the parser: then it is not
        return False
