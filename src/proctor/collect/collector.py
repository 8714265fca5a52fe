"""nbgrader's collector for ``nbgrader zip_collect``: which of the unpacked files becomes which student's notebook.

nbgrader asks for one file after the other, and ends the command for the whole class when two of them would be one, or
when a time cannot be read. So all files are looked at when the first is asked for; what could stop it is left out.
"""

import os
from pathlib import Path
from typing import Any

from nbgrader.plugins import FileNameCollectorPlugin
from nbgrader.utils import find_all_notebooks
from traitlets import Bool

from proctor.collect.choose import Chosen, Class, choose
from proctor.collect.place import Expression
from proctor.collect.report import Report
from proctor.course.folders import Course
from proctor.course.gradebook import student_ids
from proctor.errors import CourseError


class PlatformCollector(FileNameCollectorPlugin):  # type: ignore[misc]
    """Take a student's id from where the platform puts it, and one file for each name."""

    known_only = Bool(False, help="Collect nobody whom the gradebook does not know.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        """Make a collector that has looked at nothing yet."""
        super().__init__(**kwargs)
        self._chosen: Chosen | None = None

    def collect(self, submitted_file: str) -> dict[str, str] | None:
        """Return the student and the name of one unpacked file, or None if it is not collected; nbgrader calls this."""
        if self._chosen is None:
            self._chosen = self._choose()
        place = self._chosen.files.get(Path(submitted_file))
        if place is None:
            return None
        time = {"timestamp": place.timestamp} if place.timestamp else {}
        return {"student_id": place.student, "file_id": place.file, **time}

    def _choose(self) -> Chosen:
        try:
            expression = Expression(self.named_regexp)
        except CourseError as error:
            self.log.error("%s", error)
            raise SystemExit(1) from error
        folder = Path(self.parent._format_collect_path(self.parent.extracted_directory))
        paths = [Path(place) / name for place, _, names in os.walk(folder) for name in names]
        unpacked = getattr(self.parent.extractor_plugin_inst, "places", {})
        places = {path: unpacked.get(path, path.relative_to(folder).as_posix()) for path in paths}
        of = self._class(folder)
        chosen = choose(places, expression, of)
        report = getattr(self.parent.extractor_plugin_inst, "report", None) or Report(self.log)
        report.left_out += chosen.left_out
        report.collected = frozenset(place.student for place in chosen.files.values())
        report.known = of.known
        return chosen

    def _class(self, folder: Path) -> Class:
        directory = self.parent.coursedir
        released = directory.format_path(directory.release_directory, ".", directory.assignment_id)
        known = student_ids(Course(Path(directory.root), self.parent.config))
        return Class(
            released=frozenset(find_all_notebooks(released)),
            known=known,
            suffixes=frozenset(self.valid_ext),
            known_only=self.known_only,
            case_matters=not Path(str(folder).swapcase()).exists(),
        )
