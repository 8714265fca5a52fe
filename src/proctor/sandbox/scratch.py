"""The folder that a student's process works in: its copies of the submission's files, and whatever it writes.

`proctor.autograde.execute` asks for one a submission. The command keeps them together for its workers, and workers
`abandon` them when the command has ended.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proctor.settings import SCRATCH

Owner = tuple[int, int]  # user and group
_in_use: set[Path] = set()
_making = threading.Lock()  # held from `abandon` on: a folder that is made later would be nobody's to remove


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for one submission, removed afterwards whatever is in it."""
    together = os.environ.get(SCRATCH)
    if together:
        Path(together).mkdir(exist_ok=True)
        Path(together).chmod(0o711)  # a student's user passes through it
    with _making:
        folder = Path(tempfile.mkdtemp(prefix="proctor-", dir=together))
        _in_use.add(folder)
    try:
        yield folder
    finally:
        remove(folder)
        _in_use.discard(folder)


@contextmanager
def scratch_folders_together() -> Iterator[None]:
    """Have this process and its children make theirs in one folder, and remove it with what killed ones have left.

    Who needs it first makes it: a command that is killed before leaves nothing.
    """
    folder = Path(tempfile.gettempdir(), f"proctor-{secrets.token_hex(8)}")
    os.environ[SCRATCH] = str(folder)
    try:
        yield
    finally:
        del os.environ[SCRATCH]
        remove(folder)


def abandon() -> None:
    """Remove what this process uses: it is about to end, because the one that it works for has.

    Another thread may still be filling a folder: under another name it is not found any more.
    """
    _making.acquire()
    for folder in list(_in_use):
        gone = folder.with_name(f"{folder.name}-gone")
        with suppress(OSError):  # the other thread may just be removing it
            folder.rename(gone)
        remove(gone)
        remove(folder)
    if SCRATCH in os.environ:
        with suppress(OSError):  # others are still at it, and the last one will
            Path(os.environ[SCRATCH]).rmdir()


def remove(folder: Path) -> None:
    """Remove a folder as far as that is possible, with folders in folders without end, or without rights, too."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        if not folder.exists():
            return
        _take_back(folder)
        subprocess.run(["rm", "-rf", str(folder)], stderr=subprocess.DEVNULL, check=False)


def _take_back(folder: Path) -> None:
    """Give its owner all rights to a folder and to those in it: a student's process may have taken them away."""
    with suppress(OSError, RecursionError):
        folder.chmod(0o700)
        for place, folders, _ in os.walk(folder):
            for path in (Path(place, name) for name in folders):
                if not path.is_symlink():
                    path.chmod(0o700)


def copy_files(source: Path, target: Path, owner: Owner | None = None, leave_out: str = "") -> None:
    """Copy folders and plain files from `source` into `target`, which exists; no file whose name ends in `leave_out`.

    What a student's process does to its files stays in its copies. `proctor.autograde.execute` copies a submission
    for it and, where the process gets a file system of its own, `proctor.sandbox.world` copies that into there. Links,
    sockets and devices are left where they are.
    """
    folders = [(source, target)]
    for here, there in folders:  # grows on the way: folders in folders may be deeper than Python can call
        for entry in os.scandir(here):
            copy = there / entry.name
            if entry.is_dir(follow_symlinks=False):
                copy.mkdir(mode=0o700, exist_ok=True)
                folders.append((Path(entry.path), copy))
            elif entry.is_file(follow_symlinks=False) and not (leave_out and entry.name.endswith(leave_out)):
                shutil.copyfile(entry.path, copy, follow_symlinks=False)
            else:
                continue
            if owner is not None:
                os.chown(copy, *owner)
