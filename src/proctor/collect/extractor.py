"""nbgrader's extractor for ``nbgrader zip_collect``: a platform's archives are unpacked, and no archive inside of them.

The instructor puts them into ``downloaded/<assignment>/archive/``, or what has been unpacked of them by hand. In such a
folder an archive may as well be a student's own: it is one if its name is where the platform puts a student's file.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache, cached_property, partial
from pathlib import Path, PurePosixPath
from typing import Any

from nbgrader.plugins import ExtractorPlugin
from traitlets import Int, List, Unicode

from proctor.archives import archive, names
from proctor.archives.limits import Limits, Room
from proctor.collect import unpack
from proctor.collect.place import Expression
from proctor.collect.report import Report
from proctor.errors import ArchiveRefused, CourseError
from proctor.results.left_out import LeftOut, Why

MB = 1 << 20

Read = Callable[[], Iterator[tuple[archive.Entry, archive.Opener]]]


class PlatformExtractor(ExtractorPlugin):  # type: ignore[misc]
    """Unpack what a learning platform has packed: one level, bounded, each upload for itself."""

    zip_ext = List(
        Unicode(), [".zip", ".gz", ".tgz", ".tar"], help="Suffixes of archives that are unpacked: zip and tar files."
    ).tag(config=True)
    file_size = Int(50, min=1, help="MB that one file may have.").tag(config=True)
    student_size = Int(100, min=1, help="MB that the files of one student may have together.").tag(config=True)
    student_files = Int(100, min=1, help="Number of files that are unpacked of one student.").tag(config=True)
    total_size = Int(4096, min=1, help="MB that are unpacked altogether.").tag(config=True)
    entries = Int(100_000, min=1, help="Number of entries that one archive may have.").tag(config=True)
    folders_above = Int(
        0, min=0, help="Folders above the platform's own names, in an archive packed or a folder unpacked by hand."
    ).tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        """Make an extractor that has unpacked nothing yet."""
        super().__init__(**kwargs)
        self.report = Report(self.log)
        self.places: dict[Path, str] = {}  # by unpacked file its path on the platform
        self.dates: dict[Path, datetime] = {}  # and what the archive has as its date
        self.tables: list[Path] = []  # of the instructor, beside the archives: when everybody handed in

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack the archives in the folder `archive_path`, and copy what lies unpacked there; nbgrader calls this."""
        folder, to = Path(archive_path), Path(extracted_path)
        limits = self._limits()
        room, owner = Room(limits), self._owner()
        theirs, others = self._archives(folder)
        self.report.left_out += others.values()
        for path in theirs:
            self.log.info("Extracting from: %s", path)
            self._unpack(path.name, partial(archive.entries, path, limits), to / _folder_for(path, to), room, owner)
        self.tables = [path for path in sorted(folder.glob("*.csv")) if self._is_ours(path)]
        ours = frozenset((*theirs, *others, *self.tables))
        rest = partial(archive.folder_entries, folder, ours, limits)
        self._unpack(folder.name, rest, to, room, owner)

    def _unpack(self, name: str, read: Read, to: Path, room: Room, owner: unpack.Owner) -> None:
        """Unpack one archive, which is read twice: once to plan, once to write."""
        try:
            found = [entry for entry, _ in read()]
            paths, left_out = unpack.plan(found, owner, room)
            written, not_written = unpack.write(read(), paths, to, owner)
        except ArchiveRefused as error:
            self.report.left_out.append(LeftOut(error.why, name, "", error.detail))
            return
        dates = {path: found[number].date for number, path in paths.items()}
        self.places |= {file: self._place(path) for file, path in written.items()}
        self.dates |= {file: date for file, path in written.items() if (date := dates[path])}
        self.report.left_out += left_out + not_written

    def _limits(self) -> Limits:
        sizes = (self.file_size * MB, self.student_size * MB)
        return Limits(*sizes, self.student_files, self.total_size * MB, self.entries)

    @cached_property
    def _expression(self) -> Expression | None:
        collector = getattr(self.parent, "collector_plugin_inst", None)
        try:
            return Expression(getattr(collector, "named_regexp", ""))
        except CourseError:  # the collector says so
            return None

    def _owner(self) -> unpack.Owner:
        expression = self._expression

        @cache
        def owner(path: str) -> str:
            place = self._place(path)[: names.MAX_PATH]
            return expression.owner(place) if expression else place.partition("/")[0]

        return owner

    def _place(self, path: str) -> str:
        return path.split("/", self.folders_above)[-1]

    def _archives(self, folder: Path) -> tuple[list[Path], dict[Path, LeftOut]]:
        """Return the archives that are the platform's, and those that are not, with the reason."""
        theirs, others = [], {}
        for path in sorted(archive.in_folders(folder)):
            if path.suffix.lower() in archive.ARCHIVES and path.is_file() and not path.is_symlink():
                place = path.relative_to(folder).as_posix()
                why = self._not_the_platforms(place)
                if why:
                    others[path] = LeftOut(why, place, place)
                else:
                    theirs.append(path)
        return theirs, others

    def _is_ours(self, path: Path) -> bool:
        """Whether a table is the instructor's: a student's own, unpacked by hand, is where the platform puts it."""
        theirs = self._expression and self._expression.is_somebodys(self._place(path.name))
        return path.is_file() and not path.is_symlink() and not theirs

    def _not_the_platforms(self, place: str) -> Why | None:
        expression = self._expression
        if names.problem(place):
            return names.problem(place)
        if place.count("/") > self.folders_above:
            return "archive in a folder"
        if expression and expression.is_somebodys(self._place(place)):
            return "own archive"
        return None if PurePosixPath(place.lower()).suffix in self.zip_ext else "other format"


def _folder_for(path: Path, to: Path) -> str:
    """Return nbgrader's name for what is unpacked of `path`: without its suffixes, if that is free."""
    short = path.stem.removesuffix(".tar")
    free = not (to / short).exists() and not (path.parent / short).exists()
    return short if free else f"{path.name}.d"
