"""What the course's folders say about one student: handed in, graded, changed since, feedback written and released.

Called by grading, the report and the exports, once a student. What the tests found is taken from proctor's memory if
it is the latest, and from the graded notebook if that is: ``nbgrader autograde`` writes only the notebook.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from nbformat import from_dict
from nbgrader.utils import determine_grade, notebook_hash

import proctor
from proctor.course.folders import Course
from proctor.course.submitted_folder import unsafe
from proctor.dates import extensions
from proctor.records.gradebook import repeated_names
from proctor.records.memory import fingerprint, found, in_common, recall, remembered_at, sum_of
from proctor.results import in_notebook
from proctor.results.flag import Flag
from proctor.results.submission_result import OrdinaryCell, SubmissionResult
from proctor.results.verdict import CellVerdict
from proctor.settings import CONFIG_FILE

Feedback = Literal["", "to write", "written", "to release", "released"]
Changed = Literal["", "submission", "tests"]
POINTS = re.compile(r'<meta name="points" content="([-\d.]+)">')


def items(course: Course, assignment: str, student: str) -> SubmissionResult | None:
    """Return what the tests found, or None: not graded by us."""
    notebooks = list(course.folder("autograded", student, assignment).glob("*.ipynb"))
    remembered = recall(course, assignment, student)
    if remembered is not None and notebooks and _latest(notebooks) <= remembered_at(course, assignment, student):
        return remembered
    return read(course, assignment, student)


def read(course: Course, assignment: str, student: str) -> SubmissionResult | None:
    """Read the graded notebooks of a submission; None if one of them cannot be read or was executed by another."""
    notebooks = sorted(course.folder("autograded", student, assignment).glob("[!.]*.ipynb"))
    absent = sorted({*course.notebooks(assignment)} - {path.stem for path in notebooks})
    repeated = repeated_names(course, assignment)
    parts = [_read_notebook(path, repeated) for path in notebooks]
    if not parts or None in parts:
        return None
    read_parts = [part for part in parts if part is not None]
    return SubmissionResult(
        student,
        cells=tuple(cell for part in read_parts for cell in part.cells),
        ordinary=tuple(cell for part in read_parts for cell in part.ordinary),
        flags=(
            *(Flag("not handed in", name) for name in absent),
            *misplaced(course, assignment, student),
            *dict.fromkeys(flag for part in read_parts for flag in part.flags),
        ),
    )


def misplaced(course: Course, assignment: str, student: str) -> list[Flag]:
    """Say where the notebooks of a submission come from, and which others lie beside them and were not graded."""
    folder = course.folder("submitted", student, assignment)
    names = [f"{name}.ipynb" for name in course.notebooks(assignment)]
    there = {name: sum_of(folder / name) for name in names if (folder / name).is_file()}
    placed = [one for one in found(course, assignment, student) if there.get(f"{one.notebook}.ipynb") == one.placed_sum]
    known = {*there.values(), *(one.file_sum for one in placed)}
    others = sorted(path for path in folder.glob("[!.]*.ipynb") if path.name not in names and not path.is_symlink())
    aside = tuple(path.name for path in others if sum_of(path) not in known)
    return [
        *(Flag("found elsewhere", one.notebook, names=(one.file,)) for one in placed),
        *([Flag("left aside", names=aside)] if aside else []),
    ]


def _read_notebook(path: Path, repeated: frozenset[str]) -> SubmissionResult | None:
    """Read one graded notebook.

    nbformat would check the notebook, which takes ten times as long: it has been checked, and there may be a thousand.
    """
    try:
        nb = json.loads(path.read_bytes())
        if not in_notebook.was_executed(nb["metadata"]):
            return None
        return _result(nb, lambda name: f"{path.stem}/{name}" if name in repeated else name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _result(nb: Any, name_of: Callable[[str], str]) -> SubmissionResult:
    verdicts: list[CellVerdict] = []
    ordinary: list[OrdinaryCell] = []
    flags = [*in_notebook.flags_of(nb["metadata"])]
    for cell in nb["cells"]:
        metadata = cell["metadata"].get("nbgrader", {})
        if not metadata.get("grade") and not metadata.get("task"):
            continue
        name = name_of(str(metadata["grade_id"]))
        tested = cell["cell_type"] == "code" and not metadata.get("solution")
        verdict = in_notebook.verdict_of(cell) if tested else None
        if verdict is None:
            points, most = determine_grade(from_dict(cell)) if tested else (None, float(metadata["points"]))
            ordinary.append(OrdinaryCell(name, most, points))
            continue
        verdicts.append(replace(verdict, grade_id=name))
        flags += [*verdict.flags, *([Flag("undecided", name)] if verdict.undecided else [])]
    return SubmissionResult("", tuple(verdicts), tuple(flags), ordinary=tuple(ordinary))


class Shared:
    """What decides everybody's grade: tests, source notebook, settings, engine. Looked at once for a class."""

    def __init__(self, course: Course, assignment: str) -> None:
        self._course, self._assignment = course, assignment

    @cached_property
    def touched(self) -> float:
        """When anything of it was last touched."""
        course, assignment = self._course, self._assignment
        folders = [course.hidden_tests(assignment), course.folder("source", ".", assignment)]
        folders.append(Path(proctor.__file__).parent)
        beside = [course.root / CONFIG_FILE, course.root / extensions.NAME]
        return _touched([*filter(Path.is_file, beside), *(path for folder in folders for path in _files(folder))])

    @cached_property
    def digest(self) -> str:
        """Its digest, as in `fingerprint`."""
        return in_common(self._course, self._assignment)


def changed(course: Course, assignment: str, student: str, shared: Shared) -> Changed:
    """Say what has changed since the submission was graded: itself, or else what it has in common with all others.

    Only where files have been touched since are their contents compared.
    """
    if unsafe(course.folder("submitted", student, assignment)):
        return "submission"  # what was graded had nothing in it that must not be read
    submitted = _files(course.folder("submitted", student, assignment))
    graded_at = remembered_at(course, assignment, student)
    if graded_at:
        if max(shared.touched, _touched(submitted)) < graded_at:
            return ""
        mark = fingerprint(course, assignment, student, shared.digest)
        same = recall(course, assignment, student, mark) is not None
        return "" if same else "submission" if _latest(submitted) > graded_at else "tests"
    graded_at = _latest(course.folder("autograded", student, assignment).glob("*.ipynb"))
    if _latest(submitted) > graded_at:
        return "submission"
    return "tests" if _latest(_files(course.hidden_tests(assignment))) > graded_at else ""


def feedback(course: Course, assignment: str, student: str, score: float) -> tuple[Feedback, Path | None]:
    """Say how far the feedback of a graded submission is, and where its page is. One with another score is old."""
    folder = course.folder("feedback", student, assignment)
    pages = sorted(folder.glob("*.html"))
    graded = list(course.folder("autograded", student, assignment).glob("*.ipynb"))
    if not pages or _latest(pages) < _latest(graded) or _said(pages) not in (None, round(score, 2)):
        return "to write", pages[0] if pages else None
    secret = folder / "submission_secret.txt"
    if not secret.is_file():
        return "written", pages[0]  # handed in without nbgrader's exchange, so not handed back through it either
    outbox = _exchange(course) / "feedback"
    released = [outbox / f"{notebook_hash(secret=_head(secret), notebook_id=page.stem)}.html" for page in pages]
    done = all(
        copy.is_file() and copy.read_bytes() == page.read_bytes() for copy, page in zip(released, pages, strict=True)
    )
    return "released" if done else "to release", pages[0]


def attempts(course: Course, assignment: str) -> Counter[str]:
    """How often each student has submitted through nbgrader's exchange, which keeps every submission."""
    inbox, mark = _exchange(course) / "inbound", f"+{assignment}+"
    names = (path.name for path in inbox.iterdir()) if inbox.is_dir() else ()
    return Counter(name.partition(mark)[0] for name in names if mark in name)


def _said(pages: list[Path]) -> float | None:
    """Sum of the points that our pages tell, or None if one of them is not ours."""
    written = [POINTS.search(_head(page)) for page in pages]
    return round(sum(float(found[1]) for found in written if found), 2) if all(written) else None


def _head(page: Path) -> str:
    with page.open(encoding="utf-8", errors="replace") as file:
        return file.read(2000)


def _exchange(course: Course) -> Path:
    from nbgrader.exchange.default import Exchange

    settings: Any = course.config
    root = settings.get("Exchange", {}).get("root", Exchange.root.default_value)
    return Path(str(root)) / str(settings.get("CourseDirectory", {}).get("course_id", ""))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]


def _latest(paths: Iterable[Path]) -> float:
    return max((path.stat().st_mtime for path in paths), default=0.0)


def _touched(paths: Iterable[Path]) -> float:
    """Return when the newest was written, renamed or replaced; a copy or a checkout cannot set this time back."""
    return max((path.stat().st_ctime for path in paths), default=0.0)
