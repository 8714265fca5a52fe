"""What lies in a submission's folder, looked at before anything in it is read, copied or followed.

A folder may come out of a student's archive, so it may hold whatever an archive can: links to other students' files or
to the hidden tests (nbgrader copies what a link points to), named pipes, names that are not text, folders in folders
without end. Asked by `proctor.course.hand_in` before nbgrader starts, by `proctor.autograde.execute` for nbgrader's own
commands, and by `proctor.grading.class_run`, which must not stumble over one student's files while it plans a class.
"""

import os
import stat
import unicodedata
from pathlib import Path

ID_MARKS = " _-.@+'%$^=|!~,()#"
MAX_ID = 200
PATTERN = set("*?[")
LINK = "the folder is a symbolic link: put the submission itself there"
NO_FOLDER = "this is no folder: put the submission's files into a folder of that name"
RIGHT = "give yourself the right to"
ASK = "ask the student to hand in again"
MAX_FILES = 10_000
MAX_DEPTH = 50
MAX_BYTES = 512 << 20  # as `ls` shows them: a file with holes in it takes no room on the disk, but all of it in memory


def bad_id(student: str) -> str:
    """Say why a folder's name is no student's id, or ``""``. nbgrader's pages show ids as they are, and match them."""
    if set(student) & PATTERN:
        return "nbgrader takes *, ? and [ in a student's id for a pattern, which means others, too: rename the folder"
    if unicodedata.normalize("NFC", student) != student:
        return (
            "accents stand beside their letters in this name (NFD), which makes two students of one: rename the folder"
        )
    if not student or student.startswith(".") or student.strip() != student:
        return "a student's id begins with no dot or space, and ends with no space: rename the folder"
    refused = {character for character in student if not character.isalnum() and character not in ID_MARKS}
    if refused or len(student) > MAX_ID:
        marks = " ".join(sorted(map(ascii, refused))) or f"more than {MAX_ID} characters"
        return f"a student's id holds letters, digits and {ID_MARKS.strip()} only, not {marks}: rename the folder"
    return ""


def no_submission(folder: Path, student: str) -> str:
    """Say why `folder` is not to be graded as the submission of `student`, or ``""``."""
    return bad_id(student) or (LINK if folder.parent.is_symlink() else unsafe(folder))


def unsafe(folder: Path) -> str:
    """Say what is in `folder` that does not belong into a submission, or ``""``. A folder that is missing is fine."""
    try:
        mode = folder.lstat().st_mode
        if stat.S_ISLNK(mode):
            return LINK
        return _odd_within(folder) if stat.S_ISDIR(mode) else NO_FOLDER
    except FileNotFoundError:
        return ""
    except OSError as error:
        place = Path(error.filename or folder)
        name = _shown(place, folder) if folder in place.parents else "the folder"
        return f"{name} cannot be read ({error.strerror}): {RIGHT}"


def _odd_within(folder: Path) -> str:
    waiting, seen, size = [(folder, 1)], 0, 0
    while waiting:
        place, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return f"folders are nested more than {MAX_DEPTH} deep: ask the student to hand in the notebook alone"
        entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        seen += len(entries)
        if seen > MAX_FILES:
            return f"there are more than {MAX_FILES} files: ask the student to hand in the notebook alone"
        for entry in entries:
            reason = _odd(entry)
            if reason:
                return f"{_shown(Path(entry.path), folder)} {reason}"
            size += entry.stat(follow_symlinks=False).st_size
            if size > MAX_BYTES:
                return (
                    f"there are more than {MAX_BYTES >> 20} MB of files: ask the student to hand in the notebook alone"
                )
            if entry.is_dir(follow_symlinks=False):
                waiting.append((Path(entry.path), depth + 1))
    return ""


def _odd(entry: "os.DirEntry[str]") -> str:
    mode = entry.stat(follow_symlinks=False).st_mode
    if stat.S_ISLNK(mode):
        return f"is a symbolic link, which could lead to other people's files: {ASK}"
    if not entry.name.isprintable():
        return f"has a name that cannot be printed: {ASK}"
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        return f"is neither a file nor a folder: {ASK}"
    return "" if os.access(entry.path, os.R_OK) else f"cannot be read: {RIGHT}"


def _shown(path: Path, folder: Path) -> str:
    return ascii(str(path.relative_to(folder)))[1:-1]
