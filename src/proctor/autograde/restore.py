"""Locked cells as they were released, whatever a student did to them.

nbgrader restores a changed locked cell from the gradebook. It can also put back a deleted test cell, but only where no
locked prose stands before it, and our notebooks' prose is locked. `RestoreLockedCells` puts back every missing locked
cell after the nearest cell before it that is still there. A deleted *solution* cell stays deleted: the student may have
moved the code, and the released stub would overwrite it.
"""

import json
from typing import Any

from nbconvert.exporters import Exporter, NotebookExporter
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbformat.v4.rwbase import split_lines, strip_transient
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import OverwriteCells
from nbgrader.utils import compute_checksum

from proctor.errors import AnotherNotebook
from proctor.hidden_tests.run_line import same_text, split
from proctor.repair.read import notebook_of
from proctor.repair.rebuild import meant
from proctor.repair.released import Released
from proctor.results import in_notebook
from proctor.results.flag import Flag


class SubmissionExporter(NotebookExporter):
    """Reads a submission for nbgrader's Autograde, whatever editor wrote it, and without the warnings of nbformat."""

    optimistic_validation = True  # once behind all preprocessors, and not behind each of them

    def from_file(self, file_stream: Any, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """Take the bytes below the text that nbconvert has opened."""
        nb = notebook_of(file_stream.buffer.read())
        done: tuple[Any, Any] = self.from_notebook_node(nb, resources=resources, **kw)
        return done

    def from_notebook_node(self, nb: Any, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """Write what nbconvert's exporter writes, but validated once, and without another copy of the notebook."""
        nb, resources = Exporter.from_notebook_node(self, nb, resources, **kw)
        plain = strip_transient(split_lines(nb))
        return json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True, separators=(",", ": ")) + "\n", resources


class RestoreLockedCells(OverwriteCells):  # type: ignore[misc]
    """nbgrader's OverwriteCells, and missing locked cells put back; what was changed is noted for the report."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Restore `nb` from the gradebook and list the cells that differed in the notebook's flags."""
        self._restored: list[str] = []
        about = resources["nbgrader"]
        self.notebook_id, self.assignment_id = about["notebook"], about["assignment"]
        with Gradebook(about["db_url"]) as gradebook:
            notebook = gradebook.find_notebook(self.notebook_id, self.assignment_id)
            repairs = _repair(nb, notebook)
            self.gradebook = _ReadAtOnce(notebook)
            # What nbgrader's own `preprocess` does, but for a gradebook that asks the database about each cell.
            nb, resources = super(OverwriteCells, self).preprocess(nb, resources)
            if self.add_missing_cells:
                self._add_missing(nb, notebook)
        nb.metadata.pop(in_notebook.METADATA, None)  # the student's, if any
        in_notebook.add_flags(nb.metadata, repairs)
        in_notebook.add_flags(nb.metadata, (Flag("restored", name) for name in sorted(set(self._restored))))
        return nb, resources

    def _add_missing(self, nb: Any, notebook: Any) -> None:
        """Put back each missing cell of the released notebook, below the nearest one above it that is there."""
        for cell in nb.cells:
            # A copy of a cell, or one with an id of the student's own: an ordinary cell, which nbgrader trips over.
            if "grade_id" not in cell.metadata.get("nbgrader", {"grade_id": ""}):
                del cell.metadata["nbgrader"]
        ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells]
        points = {cell.name: cell.max_score for cell in (*notebook.grade_cells, *notebook.task_cells)}
        solutions = {cell.name for cell in notebook.solution_cells}
        tasks = {cell.name for cell in notebook.task_cells}
        position = 0
        for source in notebook.source_cells:
            if source.name not in ids:
                cell = self._as_made(source, points.get(source.name), source.name in solutions, source.name in tasks)
                if cell is None:
                    continue
                nb.cells.insert(position, cell)
                ids.insert(position, source.name)
                self._restored.append(source.name)
            position = ids.index(source.name) + 1

    def _as_made(self, source: Any, points: float | None, is_solution: bool, is_task: bool) -> Any:
        """A missing cell as it was released; None for a solution that tests grade, and for what is not locked.

        nbgrader puts a notice into answers, so that none is left empty: a deleted answer is one that was not given.
        """
        if points is not None and (is_solution or is_task):
            cell = self.missing_cell_transform(source, points, is_solution=not is_task, is_task=is_task)
            cell.source = source.source
            return cell
        return _cell(source, points) if source.locked and not is_solution else None

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        """Restore one cell, and note it if the student could have seen the difference."""
        submitted, as_released = cell.source, _as_released(cell)
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        changed = not same_text(split(submitted)[0], split(cell.source)[0])
        if grade_id is not None and changed and not as_released:
            self._restored.append(grade_id)
        return cell, resources

    def report_change(self, name: str, attr: str, old: Any, new: Any) -> None:
        """Note a changed attribute; the checksum says nothing here, as it is taken with the hidden tests."""
        if attr != "checksum":
            self._restored.append(name)
            self.log.warning("The %s of cell %s was changed in the submission; it is restored.", attr, name)


class _ReadAtOnce:
    """A notebook's cells as `OverwriteCells` asks its gradebook for them, which would be a query for each."""

    def __init__(self, notebook: Any) -> None:
        self._sources = {cell.name: cell for cell in notebook.source_cells}
        self._graded = {cell.name: cell for cell in (*notebook.grade_cells, *notebook.task_cells)}

    def find_source_cell(self, name: str, *_: str) -> Any:
        """Raises nbgrader's `MissingEntry`, like the other one."""
        return _found(self._sources, name)

    def find_graded_cell(self, name: str, *_: str) -> Any:
        """Return a cell that is graded by tests or by a person."""
        return _found(self._graded, name)


def _found(cells: dict[str, Any], name: str) -> Any:
    if name not in cells:
        raise MissingEntry(f"No such cell: {name}")
    return cells[name]


def _as_released(cell: Any) -> bool:
    """Whether the cell is what its student was given; if the release differs now, its author has changed it since."""
    metadata = cell.metadata.get("nbgrader", {})
    return {"grade_id", "checksum"} <= set(metadata) and metadata["checksum"] == compute_checksum(cell)


def _repair(nb: Any, notebook: Any) -> list[Flag]:
    """Make of `nb` the notebook that was meant. Raises `AnotherNotebook` if it is none of this assignment."""
    points = {cell.name: cell.max_score for cell in (*notebook.grade_cells, *notebook.task_cells)}
    tasks = {cell.name for cell in notebook.task_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    tests = set(points) - tasks - solutions
    sources = {cell.name: cell for cell in notebook.source_cells}
    released = [
        Released(
            name, cell.cell_type, split(cell.source)[0], name in solutions, cell.locked, name in tests, cell.source
        )
        for name, cell in sources.items()
    ]
    result = meant(nb.cells, released)
    if result.is_another:
        raise AnotherNotebook(
            f"{notebook.name}.ipynb: this is not the notebook that was released: none of its functions is there, and "
            "hardly a given cell; ask the student to hand in again"
        )
    nb.cells = [from_dict(cell) for cell in result.cells]
    for cell, name in zip(nb.cells, result.ids, strict=True):
        cell.metadata.pop("nbgrader", None) if name is None else None
        if name is None:
            continue
        right = {
            **_metadata(sources[name], points.get(name), name in solutions),
            **({"task": True, "grade": False} if name in tasks else {}),
        }
        claimed = cell.metadata.get("nbgrader", {})
        if claimed.get("grade_id") != name:
            cell.metadata["nbgrader"] = right
        else:  # what it is graded as is not the student's to say; nbgrader believes the cell
            claimed.update({key: right[key] for key in GRADED_AS})
    in_doubt = [Flag("for review", names=result.in_doubt)] if result.in_doubt else []
    return [*result.flags, *in_doubt]


GRADED_AS = ("grade", "solution", "task", "locked")


def _cell(source: Any, points: float | None) -> Any:
    make: Any = new_code_cell if source.cell_type == "code" else new_markdown_cell
    metadata = {"nbgrader": _metadata(source, points, solution=False), "deletable": False, "editable": False}
    return make(source.source, metadata=metadata)


def _metadata(source: Any, points: float | None, solution: bool) -> dict[str, Any]:
    """What nbgrader had written into the released cell."""
    metadata = {
        "schema_version": 3,
        "grade": points is not None,
        "grade_id": source.name,
        "locked": source.locked,
        "solution": solution,
        "task": False,
        "checksum": source.checksum,
        "cell_type": source.cell_type,
    }
    if points is not None:
        metadata["points"] = points
    return metadata
