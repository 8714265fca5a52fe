"""A course on disk: where things are, who has submitted what, and nbgrader's own configuration of it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from proctor.errors import CourseError
from proctor.settings import CONFIG_FILE, Settings, find_root, slip


def _is_there(path: Path) -> bool:
    """Whether a submission is there, or something in its place: what cannot be graded is named where it is read."""
    try:
        return path.is_symlink() or path.exists()
    except PermissionError:
        return True


@dataclass(frozen=True)
class Course:
    """A folder with an ``nbgrader_config.py``; `config` is what nbgrader makes of it."""

    root: Path
    config: Any

    @property
    def state(self) -> Path:
        """Folder of what proctor remembers between runs; it can be deleted at any time."""
        return self.root / ".proctor"

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """Return nbgrader's folder of one assignment, in a step such as ``"submitted"`` or ``"source"``."""
        return Path(self._directory().format_path(step, student, assignment))

    def shown(self, path: Path) -> str:
        """Name `path` as messages do: from the course's folder on, if it is in there."""
        return str(path.relative_to(self.root)) if self.root in path.parents else str(path)

    def assignments(self) -> list[str]:
        """Names of the folders in ``source/``."""
        source = self.folder("source", ".", ".")
        return sorted(path.name for path in source.iterdir() if path.is_dir()) if source.is_dir() else []

    def choose(self, assignment: str | None) -> str:
        """Return `assignment`, or the course's only one. Raises `CourseError` for an unknown or ambiguous one."""
        known = self.assignments()
        if assignment is None and len(known) == 1:
            return known[0]
        if assignment not in known:
            reason = f"no assignment {assignment!r}" if assignment else "more than one assignment, name one"
            raise CourseError(f"{self.root / 'source'}: {reason}; there are: {', '.join(known) or 'none'}")
        return assignment

    def sources(self, assignment: str) -> list[Path]:
        """The assignment's notebooks in ``source/``, without what macOS puts beside them (``._x.ipynb``)."""
        return sorted(self.folder("source", ".", assignment).glob("[!.]*.ipynb"))

    def notebooks(self, assignment: str) -> list[str]:
        """Names of the assignment's notebooks."""
        return [path.stem for path in self.sources(assignment)]

    def students(self, assignment: str) -> list[str]:
        """Ids of everybody with a folder for `assignment` in ``submitted/`` whom the course does not leave out."""
        submitted = self.folder("submitted", ".", ".")
        if not submitted.is_dir():
            return []
        there = (
            path.name for path in submitted.iterdir() if not path.name.startswith(".") and _is_there(path / assignment)
        )
        return sorted(student for student in there if student not in self.left_out())

    def left_out(self) -> frozenset[str]:
        """Ids of those whom the course's configuration leaves out."""
        return frozenset(str(self._directory().student_id_exclude).split(","))

    def hidden_tests(self, assignment: str) -> Path:
        """Folder of the assignment's hidden tests."""
        return self.root / self.settings.grader_tests / assignment

    @property
    def settings(self) -> Settings:
        """What the configuration says of ``c.ProctoredExecute``, and the defaults of the rest."""
        return Settings.of(self.config)

    def db_url(self) -> str:
        """URL of nbgrader's gradebook. It may hold a password: never print it."""
        return str(self._directory().db_url)

    def api(self) -> Any:
        """Nbgrader's programming interface to this course."""
        from nbgrader.apps import NbGraderAPI

        return NbGraderAPI(config=self.config)

    def _directory(self) -> Any:
        from nbgrader.coursedir import CourseDirectory

        return CourseDirectory(config=self.config)


@cache
def load_once(start: Path) -> Course:
    """Load a course as `load` does, but once a process, as nbgrader does: not for each submission."""
    return load(start)


def load(start: Path) -> Course:
    """Load the course around `start` exactly as the ``nbgrader`` command would.

    Raises `CourseError` when there is none or its configuration cannot be loaded.
    """
    from nbgrader.apps.baseapp import NbGrader

    root = find_root(start)
    if root is None:
        raise CourseError(f"{start}: not in a course (no {CONFIG_FILE} here or above); change into the course's folder")
    app = NbGrader()
    # Otherwise what is wrong with the course's own configuration is logged and passed over.
    app.raise_config_file_errors = True
    if str(root) not in sys.path:  # as nbgrader does it: a course's plug-ins lie beside its configuration
        sys.path.insert(0, str(root))
    with working_directory(root):
        try:
            app.load_config_file(suppress_errors=False)
        except (Exception, SystemExit) as error:
            raise CourseError(f"{root / CONFIG_FILE}: cannot be loaded: {error}") from error
    reason = slip(app.config)
    if reason:
        raise CourseError(f"{root / CONFIG_FILE}: {reason}")
    if "root" not in app.config.CourseDirectory:  # nbgrader's default is wherever one is
        app.config.CourseDirectory.root = str(root)
    return Course(root, app.config)


@contextmanager
def working_directory(folder: Path) -> Iterator[None]:
    """Be in `folder` for a while: nbgrader's configuration is found from the working directory."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
