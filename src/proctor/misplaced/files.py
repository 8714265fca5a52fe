"""The files of a student that may be a notebook: whatever their names, in folders and in archives, few and bounded.

Called by `place`. Everything here is a student's and may be anything.
"""

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from proctor.archives import archive, names
from proctor.archives.limits import Limits
from proctor.errors import ArchiveRefused

SCRIPTS = (".py", ".py.txt")
NOTEBOOKS = (".ipynb", ".json", ".txt")  # of whatever name: what is in it decides
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz")
LOOSE = (".ipynb", *ARCHIVES)  # what is somebody's, if it lies between the students' folders
MAX_FILES = 50  # of a student's that are looked into
MAX_DEPTH = 5
MAX_SIZE = 20 << 20
LIMITS = Limits(
    file_size=MAX_SIZE, student_size=4 * MAX_SIZE, student_files=MAX_FILES, total_size=4 * MAX_SIZE, entries=1000
)


@dataclass(frozen=True)
class StudentFile:
    """A file that may be the notebook: where it is, and how it is read; `own` is the archive of what is in one."""

    shown: str
    read: Callable[[], bytes]
    own: Path


def files_in(folder: Path, base: Path, without: Collection[str]) -> Iterator[StudentFile]:
    number = 0
    for place, folders, files in os.walk(folder):
        here = Path(place)
        depth = len(here.relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if depth < MAX_DEPTH and (depth or name not in without))
        for name in sorted(files):
            path = here / name
            kind = kind_of(name)
            if names.is_junk(f"x/{name}") or not kind or path.stat().st_size > MAX_SIZE or number >= MAX_FILES:
                continue
            number += 1
            shown = path.relative_to(base).as_posix()
            yield StudentFile(shown, path.read_bytes, path)
            if kind == "archive":
                yield from _packed(path, shown)


def kind_of(name: str) -> str:
    kinds = (("script", SCRIPTS), ("notebook", NOTEBOOKS), ("archive", ARCHIVES))
    return next((kind for kind, endings in kinds if name.lower().endswith(endings)), "")


def _packed(path: Path, shown: str) -> Iterator[StudentFile]:
    """The notebooks and scripts in an archive; no archive inside of it."""
    try:
        room = LIMITS.total_size
        for entry, open_entry in archive.entries(path, LIMITS):
            wanted = entry.kind == "file" and not names.problem(entry.path) and not names.is_junk(f"x/{entry.path}")
            if not wanted or kind_of(entry.path) not in ("notebook", "script") or entry.size > MAX_SIZE:
                continue
            with open_entry() as packed:
                content = packed.read(MAX_SIZE + 1)
            room -= len(content)
            if room < 0:
                return
            if len(content) <= MAX_SIZE:
                yield StudentFile(f"{shown}!{entry.path}", lambda content=content: content, path)  # type: ignore[misc]
    except ArchiveRefused:
        return
