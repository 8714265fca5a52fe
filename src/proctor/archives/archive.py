"""What an archive holds: zip files, tar files (as they are or with gzip), and a folder, each read as a row of entries.

Nothing is written here. What an archive says of itself (how many entries, how long a name) is compared with a limit
before memory is spent on it, and a tar file is read forwards only: one whose headers lead backwards never ends.
"""

import gzip
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, cast

from proctor.archives import names
from proctor.archives.limits import Limits
from proctor.errors import ArchiveRefused

# Archives, whether we can unpack them or not: by their names, as people tell them.
ARCHIVES = frozenset(
    (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".bz2", ".tbz", ".xz", ".txz", ".zst", ".lz", ".lzma", ".z", ".iso")
)
ZIP = frozenset((".zip",))
READ_AT_ONCE = 1 << 20  # bytes of one header of a tar file
DIRECTORY_ENTRY = 200  # bytes of a zip file's directory for each entry that is allowed
UNPACKED_ALSO = 64 << 20  # bytes of a tar file beside the contents of its files: headers and padding

Kind = Literal["file", "folder", "link", "special", "encrypted", "packed otherwise", "closed"]
Opener = Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Entry:
    """One entry as the archive names it; its size in bytes is what the archive claims.

    `date` is what the archive has for it, on the platform's clock.
    """

    path: str
    size: int
    kind: Kind
    date: datetime | None = None


def entries(path: Path, limits: Limits) -> Iterator[tuple[Entry, Opener]]:
    """Go through the archive `path`; each entry's opener works until the next one is asked for.

    Raises `ArchiveRefused` for one that cannot be read or is past a limit.
    """
    read = _zip_entries if path.suffix.lower() in ZIP else _tar_entries
    try:
        yield from read(path, limits)
    except ArchiveRefused:
        raise
    except Exception as error:
        raise ArchiveRefused("unreadable archive", type(error).__name__) from error


def _zip_entries(path: Path, limits: Limits) -> Iterator[tuple[Entry, Opener]]:
    with path.open("rb") as raw, zipfile.ZipFile(cast("IO[bytes]", _Directory(raw, limits))) as file:
        found = file.infolist()
        if len(found) > limits.entries:
            raise ArchiveRefused("too many entries")
        for info in found:
            # The name as it stands there: `filename` is cut at its first NUL.
            entry = Entry(info.orig_filename, info.file_size, _kind_in_zip(info), _date(info))
            yield entry, partial(file.open, info)


def _date(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time)
    except ValueError:  # a day 0: there is no date
        return None


def _kind_in_zip(info: zipfile.ZipInfo) -> Kind:
    form = stat.S_IFMT(info.external_attr >> 16)
    if form == stat.S_IFLNK:
        return "link"
    if info.is_dir():
        return "folder"
    if form not in (0, stat.S_IFREG):
        return "special"
    if info.flag_bits & 0x1:
        return "encrypted"
    # Others than these two may ask for gigabytes of memory in their headers; no platform uses them.
    return "file" if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else "packed otherwise"


class _Directory:
    """A zip file for `zipfile`, which reads the directory of all entries at once, as large as the file says it is."""

    def __init__(self, raw: IO[bytes], limits: Limits) -> None:
        self._raw = raw
        self._most = max(limits.entries * DIRECTORY_ENTRY, READ_AT_ONCE)

    def read(self, size: int = -1) -> bytes:
        if size > self._most:
            raise ArchiveRefused("too many entries")
        return self._raw.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


def _tar_entries(path: Path, limits: Limits) -> Iterator[tuple[Entry, Opener]]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        content = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
        forward = cast("IO[bytes]", _Forward(content, limits.total_size + UNPACKED_ALSO))
        with tarfile.open(fileobj=forward, mode="r:", encoding="utf-8", errors="surrogateescape") as file:
            for number, member in enumerate(file):
                if number >= limits.entries:
                    raise ArchiveRefused("too many entries")
                opener = cast("Opener", partial(file.extractfile, member))
                yield Entry(member.name, member.size, _kind_in_tar(member)), opener


def _kind_in_tar(member: tarfile.TarInfo) -> Kind:
    if member.isdir():
        return "folder"
    if member.issym() or member.islnk():
        return "link"
    # A sparse file claims to be as long as it likes.
    return "file" if member.isreg() and not member.issparse() and member.size >= 0 else "special"


class _Forward:
    """A stream for `tarfile`: forwards only, bounded, and no header of more than `READ_AT_ONCE`."""

    def __init__(self, content: IO[bytes], most: int) -> None:
        self._content, self._most, self._at = content, most, 0

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        if not 0 <= size <= READ_AT_ONCE:
            raise ArchiveRefused("unreadable archive", "a header of more than a megabyte")
        data = self._content.read(size)
        self._at += len(data)
        if self._at > self._most:
            raise ArchiveRefused("too much in archive")
        return data

    def seek(self, position: int) -> int:
        if position < self._at:
            raise ArchiveRefused("unreadable archive", "a header that leads backwards")
        while self._at < position and self.read(min(READ_AT_ONCE, position - self._at)):
            pass
        return self._at


def folder_entries(folder: Path, but: frozenset[Path], limits: Limits) -> Iterator[tuple[Entry, Opener]]:
    """Go through what lies unpacked in `folder`, without the files in `but`."""
    for number, path in enumerate(path for path in in_folders(folder) if path not in but):
        if number >= limits.entries:
            raise ArchiveRefused("too many entries")
        state = path.lstat()
        kind: Kind = "file" if stat.S_ISREG(state.st_mode) else "special"
        kind = "link" if stat.S_ISLNK(state.st_mode) else kind
        if kind != "link" and not os.access(path, os.R_OK):
            kind = "closed"
        yield Entry(path.relative_to(folder).as_posix(), state.st_size, kind), cast("Opener", partial(path.open, "rb"))


def in_folders(folder: Path) -> Iterator[Path]:
    """Everything in `folder` and in its folders, but for these themselves: only what cannot be looked into, or is deep.

    Not `os.walk`, which passes over what it cannot read, and in Python 3.11 ends at a thousand folders in each other.
    """
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(place) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            yield place
            continue
        deep = len(place.relative_to(folder).parts) >= names.MAX_DEPTH
        below = []
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not deep:
                below.append(Path(entry.path))
            else:
                yield Path(entry.path)
        waiting += reversed(below)
