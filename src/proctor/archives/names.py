"""Which names of files are taken from other people's archives, and in which form."""

import os
import re
import unicodedata

from proctor.results.left_out import Why

MAX_NAME = 255  # bytes of a file's name, on Linux and macOS
MAX_PATH = 300  # characters of a path inside an archive
MAX_DEPTH = 10
# What macOS and Jupyter put beside people's files.
JUNK_FOLDERS, JUNK = {"__MACOSX", ".ipynb_checkpoints"}, ("._", ".DS_Store")


def problem(path: str) -> Why | None:
    """Say what is wrong with an entry's name, before anything is made of it."""
    parts = path.split("/")
    if not path.isprintable():  # nor text that is none: what was no UTF-8 has become surrogates
        return "unprintable"
    if path.startswith("/") or "\\" in path or re.match("[A-Za-z]:", path) or ".." in parts:
        return "outside"
    if len(path) > MAX_PATH or any(len(os.fsencode(part)) > MAX_NAME for part in parts):
        return "long name"
    return "deep" if len(parts) > MAX_DEPTH else None


def clean(path: str) -> str:
    """Return the path with each letter in one piece (NFC), which is how people and nbgrader compare names."""
    parts = unicodedata.normalize("NFC", path).split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def key(path: str) -> str:
    """Return what two names share that are one file on some disk."""
    return unicodedata.normalize("NFC", path.casefold())


def is_junk(path: str) -> bool:
    """Whether a program has put this file there, and nobody misses it."""
    *folders, name = path.split("/")
    return bool(JUNK_FOLDERS & set(folders)) or (bool(folders) and name.startswith(JUNK))


def also_folders(paths: set[str]) -> set[str]:
    """Return those that are folders of others: no disk can hold both."""
    folders = {path[:at] for path in paths for at, character in enumerate(path) if character == "/"}
    return paths & folders
