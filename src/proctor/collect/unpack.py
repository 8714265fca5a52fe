"""What of an archive is written: first all of it is looked at and planned, then what was planned is written.

So a limit is found out before the first byte, and one student's upload takes nobody else's room. Called by
`proctor.collect.extractor` for each archive of a platform, and for what lies unpacked beside them.
"""

import errno
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO

from proctor.archives import names
from proctor.archives.archive import ARCHIVES, Entry, Opener
from proctor.archives.limits import Room
from proctor.results.left_out import LeftOut, Why

BLOCK = 1 << 16
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

Owner = Callable[[str], str]


def plan(found: Sequence[Entry], owner: Owner, room: Room) -> tuple[dict[int, str], list[LeftOut]]:
    """Return the paths that are to be written, by the number of the entry, and what is left out.

    `owner` tells whose a path is. Small uploads get room first, and of one upload notebooks.
    """
    paths: dict[int, str] = {}
    left_out: list[LeftOut] = []

    def leave(number: int, why: Why) -> None:
        left_out.append(LeftOut(why, found[number].path, owner(found[number].path)))
        paths.pop(number, None)

    for number, entry in enumerate(found):
        if entry.kind == "folder" or names.is_junk(entry.path):
            continue
        why = _problem(entry)
        if why:
            leave(number, why)
        else:
            paths[number] = names.clean(entry.path)
    counts = Counter(map(names.key, paths.values()))
    folders = names.also_folders(set(counts))
    for number, path in list(paths.items()):
        if counts[names.key(path)] > 1:
            leave(number, "twice")
        elif names.key(path) in folders:
            leave(number, "file and folder")
    for number in _in_order(found, paths, owner):
        past = room.take(owner(paths[number]), found[number].size)
        if past:
            leave(number, past)
    return paths, left_out


def _problem(entry: Entry) -> Why | None:
    why = names.problem(entry.path)
    if why or not names.clean(entry.path):
        return why or "outside"
    if entry.kind != "file" and entry.kind != "folder":
        return entry.kind
    return "archive inside" if PurePosixPath(entry.path.lower()).suffix in ARCHIVES else None


def _in_order(found: Sequence[Entry], paths: dict[int, str], owner: Owner) -> list[int]:
    sizes: Counter[str] = Counter()
    for number, path in paths.items():
        sizes[owner(path)] += found[number].size

    def order(number: int) -> tuple[int, str, bool, int, int]:
        path = paths[number]
        other = PurePosixPath(path).suffix != ".ipynb"
        return sizes[owner(path)], owner(path), other, path.count("/"), found[number].size

    return sorted(paths, key=order)


def write(
    read: Iterator[tuple[Entry, Opener]], paths: dict[int, str], folder: Path, owner: Owner
) -> tuple[dict[Path, str], list[LeftOut]]:
    """Write what was planned below `folder`; return the platform's paths by file, and what could not be written.

    Raises `OSError` when the disk is full, which no student is to blame for.
    """
    written: dict[Path, str] = {}
    left_out: list[LeftOut] = []
    for number, (entry, opener) in enumerate(read):
        if number not in paths:
            continue
        target = folder / paths[number]
        why = _copy(opener, entry.size, target)
        if why:
            left_out.append(LeftOut(why, entry.path, owner(entry.path)))
        else:
            written[target] = paths[number]
    return written, left_out


def _copy(opener: Opener, size: int, target: Path) -> Why | None:
    """Write one file whole, or nothing."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        to = target.open("xb")
    except OSError as error:
        return _unless_full(error, "cannot be written")
    with to:
        why = _copy_bytes(opener, size, to)
    if why:
        target.unlink()
    return why


def _unless_full(error: OSError, why: Why) -> Why:
    if error.errno in NO_ROOM:
        raise error
    return why


def _copy_bytes(opener: Opener, size: int, to: IO[bytes]) -> Why | None:
    """Copy as many bytes as the archive has announced: more or fewer are a lie or a damage."""
    left = size
    try:
        with opener() as content:
            while block := content.read(min(BLOCK, left + 1)):
                left -= len(block)
                if left < 0:
                    return "damaged"
                to.write(block)
    except PermissionError:
        return "closed"
    except OSError as error:
        return _unless_full(error, "cannot be written")
    except Exception:  # noqa: BLE001 - bytes of somebody else's archive may be anything
        return "damaged"
    return "damaged" if left else None
