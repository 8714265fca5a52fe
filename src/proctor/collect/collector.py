"""nbgrader's collector for ``nbgrader zip_collect``: which of the unpacked files becomes which student's notebook.

nbgrader asks for one file after the other, and ends the command for the whole class when two of them would be one, or
when a time cannot be read. So all files are looked at when the first is asked for; what could stop it is left out.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.plugins import FileNameCollectorPlugin
from nbgrader.utils import find_all_notebooks
from traitlets import Bool, Unicode

from proctor.collect.choose import Chosen, Class, choose
from proctor.collect.place import Expression
from proctor.collect.report import Report
from proctor.course.folders import Course
from proctor.dates import worksheet, written
from proctor.errors import CourseError
from proctor.records.gradebook import student_ids
from proctor.results import collected
from proctor.results.collected import Collected

# Files of a class that are dated within so little time of each other have the date of the download.
OF_ONE_DOWNLOAD = timedelta(minutes=10)


class PlatformCollector(FileNameCollectorPlugin):  # type: ignore[misc]
    """Take a student's id from where the platform puts it, and one file for each name."""

    known_only = Bool(False, help="Collect nobody whom the gradebook does not know.").tag(config=True)

    timezone = Unicode("UTC", help="Time zone of the times in a table or in the archives.").tag(config=True)
    archive_dates = Bool(False, help="The dates of the archives' files are when they were handed in.").tag(config=True)

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
        report = getattr(self.parent.extractor_plugin_inst, "report", None) or Report(self.log)
        of = self._class(folder, report)
        chosen = choose(places, expression, of)
        report.left_out += chosen.left_out
        report.known = of.known
        report.collected = _by_student(chosen, places)
        course = Course(Path(self.parent.coursedir.root), self.parent.config)
        collected.add(course.state, self.parent.coursedir.assignment_id, report.collected)
        return chosen

    def _times(self, report: Report) -> tuple[dict[str, datetime], dict[Path, datetime]]:
        """Return when everybody handed in, by a table beside the archives, and by the archives' own dates."""
        extractor = self.parent.extractor_plugin_inst
        times: dict[str, datetime] = {}
        try:
            zone = written.zone_of(self.timezone)
        except ValueError as error:
            self.log.error("c.PlatformCollector.timezone %s", error)
            raise SystemExit(1) from error
        for path in getattr(extractor, "tables", []):
            try:
                times |= worksheet.read(path, zone)
            except CourseError as error:
                report.unread_tables.append(str(error))
        dates = getattr(extractor, "dates", {}) if self.archive_dates else {}
        report.of_one_download = _all_at_once(dates.values())
        dates = {} if report.of_one_download else dates
        return times, {file: written.in_utc(date, zone) for file, date in dates.items()}

    def _class(self, folder: Path, report: Report) -> Class:
        directory = self.parent.coursedir
        released = directory.format_path(directory.release_directory, ".", directory.assignment_id)
        known = student_ids(Course(Path(directory.root), self.parent.config))
        times, dates = self._times(report)
        return Class(
            released=frozenset(find_all_notebooks(released)),
            known=known,
            suffixes=frozenset(self.valid_ext),
            known_only=self.known_only,
            case_matters=not Path(str(folder).swapcase()).exists(),
            times=times,
            dates=dates,
        )


def _all_at_once(dates: Iterable[datetime]) -> bool:
    found = sorted(dates)
    return len(found) > 1 and found[-1] - found[0] < OF_ONE_DOWNLOAD


def _by_student(chosen: Chosen, places: dict[Path, str]) -> dict[str, Collected]:
    files: dict[str, dict[str, str]] = defaultdict(dict)
    late: dict[str, bool | None] = {}
    timed = set()
    for file, place in chosen.files.items():
        files[place.student][place.file] = places[file]
        late[place.student] = place.late or late.get(place.student, place.late)
        timed |= {place.student} if place.timestamp else set()
    return {student: Collected(own, late[student], student in timed) for student, own in files.items()}
