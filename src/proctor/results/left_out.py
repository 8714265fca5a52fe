"""What of a platform's archives was not collected, and why, as data.

Made by `proctor.collect`, put into words by `proctor.render.uploads`.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Why = Literal[
    # an archive that lies in the folder for them
    "unreadable archive", "too many entries", "too much in archive",
    "other format", "archive in a folder", "own archive",
    # a file, as it is named and as it is
    "archive inside", "outside", "unprintable", "long name", "deep", "twice", "file and folder",
    "link", "special", "encrypted", "packed otherwise", "damaged", "cannot be written", "closed",
    "file size", "student size", "student files", "total size",
    # whose it is, and what it is to become
    "unmatched", "in a folder", "misplaced", "two readings",
    "no student", "bad id", "unknown id", "bad name", "bad time",
    "two people", "which is newer", "older", "no notebook",
]  # fmt: skip


@dataclass(frozen=True)
class LeftOut:
    """One file or archive: its path as the platform has it, and whose it seems to be; some kinds have a `detail`."""

    why: Why
    path: str
    owner: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        if self.why not in get_args(Why):
            raise ValueError(f"no such reason: {self.why!r}")
