"""Which files are collected, when all that was unpacked is known: one file for each name of each student.

Who hands in twice, shares a name with somebody or has an id that cannot be used costs nobody else anything.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from proctor.archives import names
from proctor.collect.place import Expression, Place, Unclear
from proctor.results.left_out import LeftOut, Why


@dataclass(frozen=True)
class Class:
    """What is known beside the files: released notebooks, ids of the gradebook, suffixes that are collected."""

    released: frozenset[str]
    known: frozenset[str]
    suffixes: frozenset[str]
    known_only: bool = False
    # Whether Ada and ada are two folders.
    case_matters: bool = True
    # When files were handed in, in UTC, where a table or the archive says so: by a student's id or number, and by file.
    times: Mapping[str, datetime] = field(default_factory=dict)
    dates: Mapping[Path, datetime] = field(default_factory=dict)


@dataclass
class Chosen:
    """What each file becomes, and what is left out."""

    files: dict[Path, Place] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


class _Choice:
    def __init__(self, paths: Mapping[Path, str], expression: Expression, of: Class) -> None:
        self._paths, self._expression, self._class = paths, expression, of
        self.chosen = Chosen()

    def leave(self, file: Path, why: Why, detail: str = "") -> None:
        path, place = self._paths[file], self.chosen.files.pop(file, None)
        owner = place.student if place else self._expression.owner(path)
        self.chosen.left_out.append(LeftOut(why, path, owner, detail))

    def read(self) -> None:
        """Tell whose each file is."""
        for file, path in sorted(self._paths.items()):
            if file.suffix not in self._class.suffixes:
                continue
            place = self._expression.read(path, self._class.released)
            if isinstance(place, Unclear):
                self.leave(file, place.why, place.detail)
            elif self._class.known_only and place.student not in self._class.known:
                self.leave(file, "unknown id", place.student)
            else:
                self.chosen.files[file] = self._timed(file, place)

    def _timed(self, file: Path, place: Place) -> Place:
        """Add the time that the name does not have."""
        dates = (self._class.times.get(place.person), self._class.times.get(place.student), self._class.dates.get(file))
        time = next((date for date in dates if date is not None), None)
        return replace(place, time=time, timestamp=str(time)) if time and not place.time else place

    def one_person_an_id(self) -> None:
        """Two people with one id (or ids that are one folder on some disks) are not mixed; a known id keeps its own."""
        key = str if self._class.case_matters else names.key
        by_id: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for place in self.chosen.files.values():
            by_id[key(place.student)][place.student].add(place.person)
        for file, place in list(self.chosen.files.items()):
            alike = by_id[key(place.student)]
            known = [student for student in alike if student in self._class.known]
            kept = known[0] if len(known) == 1 else place.student if len(alike) == 1 else ""
            if kept != place.student or len(alike[place.student]) > 1:
                self.leave(file, "two people", place.student)

    def one_file_a_name(self) -> None:
        """Of several files that would become one, the newest counts."""
        by_student: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
        for file, place in self.chosen.files.items():
            by_student[place.student][names.key(place.file)].append(file)
        for by_name in by_student.values():
            both = names.also_folders(set(by_name))
            for name, files in by_name.items():
                newest = self._newest(files)
                for file in files:
                    if file != newest:
                        self.leave(file, "older" if newest else "which is newer", self.chosen.files[file].file)
                if newest and name in both:
                    self.leave(newest, "file and folder")

    def _newest(self, files: list[Path]) -> Path | None:
        places = {file: self.chosen.files[file] for file in files}
        if len({place.time is None for place in places.values()}) > 1:
            return None
        order = {
            file: (place.time or datetime.min, place.upload, place.file in self._class.released)
            for file, place in places.items()
        }
        best = [file for file in files if order[file] == max(order.values())]
        return best[0] if len(best) == 1 else None

    def nothing_else(self) -> None:
        """Name those who handed in files, and no notebook among them."""
        named = {one.owner for one in self.chosen.left_out} | {place.student for place in self.chosen.files.values()}
        for file, path in sorted(self._paths.items()):
            owner = self._expression.owner(path)
            if file not in self.chosen.files and owner not in named and self._expression.is_somebodys(path):
                named.add(owner)
                self.leave(file, "no notebook")


def choose(paths: Mapping[Path, str], expression: Expression, of: Class) -> Chosen:
    """Choose among the unpacked files, given with their paths in the platform's archive."""
    choice = _Choice(paths, expression, of)
    choice.read()
    choice.one_person_an_id()
    choice.one_file_a_name()
    choice.nothing_else()
    return choice.chosen
