"""What grading one submission came to, remembered on disk so that an unchanged submission is not graded twice.

`proctor.grading.class_run` writes one small file a student when nbgrader has finished with the submission, as the
very last step: a run that is killed leaves either the whole of it or nothing.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import proctor
from proctor.course.folders import Course
from proctor.dates import extensions
from proctor.records.gradebook import released
from proctor.results.submission_result import SubmissionResult
from proctor.settings import ABOUT_THE_MACHINE


def fingerprint(course: Course, assignment: str, student: str, common: str = "") -> str:
    """Digest of all that decides a grade: the submission, an extension, and what is in `common` to all of the class."""
    own = digest_of([course.folder("submitted", student, assignment)])
    extension = extensions.of(extensions.read(course.root), student, assignment)
    longer = extension.text if extension else ""
    return hashlib.sha256(f"{own}{common or in_common(course, assignment)}{longer}".encode()).hexdigest()


def in_common(course: Course, assignment: str) -> str:
    """Digest of the hidden tests, the source notebook, its copy in the gradebook, the settings and the engine.

    Once is enough for a class.
    """
    folders = [
        course.hidden_tests(assignment),
        course.folder("source", ".", assignment),
        Path(proctor.__file__).parent,
    ]
    settings = course.config.get("ProctoredExecute", {}).items()
    deciding = sorted(item for item in settings if item[0] not in ABOUT_THE_MACHINE)
    return hashlib.sha256(f"{digest_of(folders)}{deciding!r}{released(course, assignment)!r}".encode()).hexdigest()


def digest_of(folders: Iterable[Path]) -> str:
    """Digest of the names and contents of all files below `folders`, wherever those are."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in _files(folder):
            digest.update(f"{path.relative_to(folder)}\0{path.lstat().st_size}\0".encode())
            digest.update(_digest_of_file(path) if not path.is_symlink() else b"link")
    return digest.hexdigest()


def _digest_of_file(path: Path) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.digest()


def _files(folder: Path) -> Iterable[Path]:
    skipped = {"__pycache__", ".ipynb_checkpoints"}
    found = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return sorted(path for path in found if not skipped & set(path.parts))


def _path(course: Course, assignment: str, student: str) -> Path:
    readable = quote(student, safe="", errors="surrogateescape")[:100]
    return course.state / "graded" / assignment / f"{readable}-{_short(student)}.json"


def _short(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:8]  # a folder's name may be no text


def remember(course: Course, assignment: str, result: SubmissionResult, mark: str) -> None:
    """Write `result` with the fingerprint `mark`, in one step."""
    path = _path(course, assignment, result.student)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(json.dumps({"mark": mark, "result": asdict(result)}), encoding="utf-8")
    new.replace(path)


def recall(course: Course, assignment: str, student: str, mark: str | None = None) -> SubmissionResult | None:
    """Return the remembered result, or None if there is none, or none with the fingerprint `mark`."""
    try:
        data = json.loads(_path(course, assignment, student).read_text(encoding="utf-8"))
        if mark is not None and data["mark"] != mark:
            return None
        return SubmissionResult.from_json(data["result"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remembered_at(course: Course, assignment: str, student: str) -> float:
    """When the result was remembered, in seconds since 1970; 0 if there is none."""
    path = _path(course, assignment, student)
    return path.stat().st_mtime if path.is_file() else 0.0


def forget(course: Course, assignment: str, student: str) -> None:
    """Have the submission graded again next time."""
    _path(course, assignment, student).unlink(missing_ok=True)


def forget_all(course: Course, assignment: str, students: Sequence[str]) -> None:
    """Have `students` graded again, once: where a run of the same was stopped, what it has done stays done."""
    note = _forced_path(course, assignment)
    again = json.dumps(sorted(students))
    if note.is_file() and note.read_text(encoding="utf-8") == again:
        return
    for student in students:
        forget(course, assignment, student)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(again, encoding="utf-8")


def all_done(course: Course, assignment: str) -> None:
    """Say that a run has come to its end: the next `forget_all` begins anew."""
    _forced_path(course, assignment).unlink(missing_ok=True)


def _forced_path(course: Course, assignment: str) -> Path:
    return course.state / "forced" / f"{assignment}.json"


@dataclass(frozen=True)
class Found:
    """A notebook that was not where nbgrader looks: its name, the file it was made of, and SHA-256 sums of both.

    The file is named from the student's folder on.
    """

    notebook: str
    file: str
    file_sum: str
    placed_sum: str


def _found_path(course: Course, assignment: str, student: str) -> Path:
    return course.state / "found" / assignment / _path(course, assignment, student).name


def remember_found(course: Course, assignment: str, student: str, found: list[Found]) -> None:
    """Remember which notebooks of a student were put in their place."""
    path = _found_path(course, assignment, student)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(one) for one in found]), encoding="utf-8")


def found(course: Course, assignment: str, student: str) -> list[Found]:
    """Return which notebooks of a student were put in their place."""
    try:
        text = _found_path(course, assignment, student).read_text(encoding="utf-8")
        return [Found(**one) for one in json.loads(text)]
    except (OSError, ValueError, TypeError):
        return []


def sum_of(path: Path) -> str:
    """SHA-256 of a file."""
    return _digest_of_file(path).hex()
