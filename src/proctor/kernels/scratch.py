"""The folder that a student's process works in: its copies of the submission's files, and whatever it writes.

`proctor.plugins.execute` asks for one for each submission. The command keeps them together for its workers, and workers
`abandon` them when the command has ended.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from proctor.settings import SCRATCH

_in_use: set[Path] = set()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for one submission, removed afterwards whatever is in it."""
    together = os.environ.get(SCRATCH)
    if together:
        Path(together).mkdir(mode=0o711, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="proctor-", dir=together))
    _in_use.add(folder)
    try:
        yield folder
    finally:
        remove(folder)
        _in_use.discard(folder)


@contextmanager
def scratch_folders_together() -> Iterator[None]:
    """Have this process and its children make theirs in one folder, and remove it with what killed ones have left."""
    folder = Path(tempfile.mkdtemp(prefix="proctor-"))
    folder.chmod(0o711)  # a student's user passes through it
    os.environ[SCRATCH] = str(folder)
    try:
        yield
    finally:
        del os.environ[SCRATCH]
        remove(folder)


def abandon() -> None:
    """Remove what this process uses: it is about to end, because the one that it works for has."""
    for folder in list(_in_use):
        remove(folder)
    if SCRATCH in os.environ:
        with suppress(OSError):  # others are still at it, and the last one will
            Path(os.environ[SCRATCH]).rmdir()


def remove(folder: Path) -> None:
    """Remove a folder as far as that is possible, with folders in folders without end, too."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        subprocess.run(["rm", "-rf", str(folder)], stderr=subprocess.DEVNULL, check=False)
