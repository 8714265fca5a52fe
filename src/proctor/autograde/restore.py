"""Locked cells as they were released, whatever a student did to them.

nbgrader restores a changed locked cell from the gradebook. It can also put back a deleted test cell, but only where no
locked prose stands before it, and our notebooks' prose is locked. `RestoreLockedCells` puts back every missing locked
cell after the nearest cell before it that is still there. A deleted *solution* cell stays deleted: the student may have
moved the code, and the released stub would overwrite it.
"""

from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook
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
        done: tuple[Any, Any] = self.from_notebook_node(nb, resources=resources, **kw)  # type: ignore[no-untyped-call]
        return done


class RestoreLockedCells(OverwriteCells):  # type: ignore[misc]
    """nbgrader's OverwriteCells, and missing locked cells put back; what was changed is noted for the report."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Restore `nb` from the gradebook and list the cells that differed in the notebook's flags."""
        self._restored: list[str] = []
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            repairs = _repair(nb, gradebook.find_notebook(about["notebook"], about["assignment"]))
        nb, resources = super().preprocess(nb, resources)
        nb.metadata.pop(in_notebook.METADATA, None)  # the student's, if any
        in_notebook.add_flags(nb.metadata, repairs)
        in_notebook.add_flags(nb.metadata, (Flag("restored", name) for name in sorted(set(self._restored))))
        return nb, resources

    # nbgrader calls this, with the gradebook open, when `add_missing_cells` is set; it is replaced as a whole.
    def add_missing_grade_cells(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Put back each missing locked cell of the released notebook."""
        for cell in nb.cells:
            # A copy of a cell, or one with an id of the student's own: an ordinary cell, which nbgrader trips over.
            if "grade_id" not in cell.metadata.get("nbgrader", {"grade_id": ""}):
                del cell.metadata["nbgrader"]
        notebook = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
        solutions = {cell.name for cell in (*notebook.solution_cells, *notebook.task_cells)}
        position = 0
        for source in notebook.source_cells:
            at = _index_of(nb, source.name)
            if at is None and source.locked and source.name not in solutions:
                at = position
                nb.cells.insert(at, _cell(source, points.get(source.name)))
                self._restored.append(source.name)
            position = position if at is None else at + 1
        return nb, resources

    # nbgrader calls this next. Its own puts tasks at the end, and a notice into answers, so that none is left empty.
    def add_missing_task_cells(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Put back what a person grades, as it was released: a deleted answer is one that was not given."""
        notebook = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        tasks = {cell.name: cell.max_score for cell in notebook.task_cells}
        solutions = {cell.name for cell in notebook.solution_cells}
        answers = {cell.name: cell.max_score for cell in notebook.grade_cells if cell.name in solutions}
        position = 0
        for source in notebook.source_cells:
            at = _index_of(nb, source.name)
            if at is None and source.name in (most := {**answers, **tasks}):
                at, task = position, source.name in tasks
                cell = self.missing_cell_transform(source, most[source.name], is_solution=not task, is_task=task)
                cell.source = source.source
                nb.cells.insert(at, cell)
                self._restored.append(source.name)
            position = position if at is None else at + 1
        return nb, resources

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


def _index_of(nb: Any, grade_id: str) -> int | None:
    for index, cell in enumerate(nb.cells):
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return index
    return None


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
