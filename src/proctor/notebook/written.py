"""Files that a notebook has written, brought to ``autograded/``, where a person and the next notebook look for them.

Called by `proctor.notebook.grade` when the last cell has run. What is written stays in the student's process, and comes
from there as plain data that may be anything: how many files, of which names, kinds and sizes is decided here.
"""

from hashlib import sha256
from inspect import getsource
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from proctor.border.submission import Submission, Transport
from proctor.errors import StudentFault

# Plain data that formgrader can serve. No notebooks: those are nbgrader's to write; and no code.
KINDS = (".txt", ".csv", ".tsv", ".json", ".md", ".png", ".jpg", ".jpeg", ".gif", ".npy", ".npz", ".pdf")
NBGRADERS = {"timestamp.txt", "submission_secret.txt"}
MAX_FILES = 20
MAX_TOGETHER = 2 << 20  # bytes: more than one reply does not carry
MAX_DEPTH = 4
MAX_NAME = 200
NAME_MARKS = " _-.()"


def bring(transport: Transport, target: Path) -> None:
    """Put what the student's process has in its folder into `target`; nothing if it has no answer."""
    there = [path for path in target.rglob("*") if path.is_file() and path.suffix.lower() in KINDS]
    known = [sha256(path.read_bytes()).hexdigest() for path in there if path.stat().st_size <= MAX_TOGETHER]
    source = f"from typing import Any\n{getsource(written)}"
    try:
        found = Submission(transport, source).play("written", list(KINDS), known, MAX_FILES, MAX_TOGETHER)
    except StudentFault:
        return
    for name, content in _of_the_form(found):
        path = target / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError:  # a folder has this name, or a file that of a folder
            continue


def written(notebook: Any, kinds: Any, known: Any, most: int, room: int) -> Any:
    """Return names and contents of the newest files but the `known` ones; its source runs in the student's process."""
    from hashlib import sha256
    from os import environ
    from pathlib import Path

    from numpy import frombuffer

    home = Path(environ["HOME"])
    paths = [path for path in home.rglob("*.*") if path.suffix.lower() in kinds and path.is_file()]
    paths = [path for path in paths if not any(part.startswith(".") for part in path.relative_to(home).parts)]
    found: Any = []
    for path in sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True):
        if path.stat().st_size > room or len(found) == most:
            continue
        content = path.read_bytes()
        if sha256(content).hexdigest() not in known:
            room -= len(content)
            found.append([str(path.relative_to(home)), frombuffer(content, dtype="uint8")])
    return found


def _of_the_form(found: Any) -> list[tuple[PurePosixPath, bytes]]:
    """Of what a student's process has answered, the files that may be kept."""
    pairs = [pair for pair in found if isinstance(pair, list) and len(pair) == 2] if isinstance(found, list) else []
    files = [
        (PurePosixPath(name), content.tobytes())
        for name, content in pairs[:MAX_FILES]
        if isinstance(name, str) and isinstance(content, np.ndarray) and _is_plain(name)
    ]
    return files if sum(len(content) for _, content in files) <= MAX_TOGETHER else []


def _is_plain(name: str) -> bool:
    """Whether this is the name of plain data inside the folder, and of nothing that nbgrader keeps there."""
    path = PurePosixPath(name)
    if len(name) > MAX_NAME or len(path.parts) > MAX_DEPTH or path.suffix.lower() not in KINDS or name in NBGRADERS:
        return False
    harmless = all(character.isalnum() or character in NAME_MARKS for part in path.parts for character in part)
    return harmless and not any(part.startswith(".") or part != part.strip() for part in path.parts)
