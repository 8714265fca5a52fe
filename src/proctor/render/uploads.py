"""The sentences about what ``nbgrader zip_collect`` has left out: the file, the reason, and what to do."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from proctor.results.left_out import LeftOut, Why

EACH = 3  # files of one student with one reason that are named each
SHOWN = 160  # characters of a path

AGAIN = "ask the student to hand in the notebook alone"
RAISE = "ask for less, or raise c.PlatformExtractor."
DOWNLOAD = "download it again"
PLACE = "docs/instructors.md has an expression for each platform"
WORDS: Mapping[Why, str] = {
    "unreadable archive": f"cannot be read as an archive ({{detail}}), nothing of it is collected: {DOWNLOAD}",
    "too many entries": f"holds too many files, nothing of it is collected: {RAISE}entries",
    "too much in archive": f"unpacks to too much, nothing of it is collected: {RAISE}total_size",
    "other format": "archives of this kind are not unpacked: download or pack it as .zip",
    "archive in a folder": "archives in folders are not unpacked: put the platform's into the archive folder itself;"
    f" for any other, {AGAIN}",
    "own archive": f"a student's own archive is not unpacked: {AGAIN}; or rename the file if it is the platform's",
    "archive inside": f"an archive inside an archive is not unpacked: {AGAIN}",
    "outside": f"its name leads out of the folder: {AGAIN}",
    "unprintable": f"its name has characters that cannot be printed: {AGAIN}",
    "long name": f"its name is too long: {AGAIN}",
    "deep": f"it lies too many folders deep: {AGAIN}",
    "twice": f"there are two files of this name (capital letters do not count): {AGAIN}",
    "file and folder": f"it is a file and a folder at once: {AGAIN}",
    "link": f"it is a link, not a file: {AGAIN}",
    "special": f"it is no ordinary file: {AGAIN}",
    "encrypted": f"it is encrypted: {AGAIN}",
    "packed otherwise": f"it is packed in a way that no platform uses: {AGAIN}",
    "damaged": f"it is damaged, or not as long as the archive says: {AGAIN}",
    "cannot be written": f"it cannot be written here: {AGAIN}",
    "file size": f"the file is too large: {RAISE}file_size",
    "student size": f"this student's files are too large together: {RAISE}student_size",
    "student files": f"this student has too many files: {RAISE}student_files",
    "total size": f"all files together are too large, and the largest are left out first: {RAISE}total_size",
    "in a folder": "it lies in a folder, and only what lies where the platform puts this student's files is collected:"
    f" {AGAIN}",
    "unmatched": "it is not where the platform puts a student's file, or c.FileNameCollectorPlugin.named_regexp does"
    f" not fit: {PLACE}",
    "misplaced": "the student's name stands deeper than the platform puts it, so anybody could have written it there:"
    f" {AGAIN}",
    "two readings": "it can be read as one student's and as that of {detail!r}, so it is nobody's: ask the student to"
    f" hand in the notebook under the name that it had; if this happens to many, {PLACE}",
    "no student": f"no student is named where the platform puts one: {PLACE}",
    "bad id": "{detail}, or put the file into submitted/<id>/<assignment>/ by hand",
    "unknown id": "the gradebook does not know {detail!r}: add the student there first",
    "bad name": f"a submission cannot hold a file of this name: {AGAIN}",
    "bad time": f"the time in its name cannot be read: {PLACE}",
    "two people": "two people would be {detail!r}, and are not mixed up: put each one's file into"
    " submitted/<id>/<assignment>/ by hand, under ids of their own",
    "which is newer": "there are two files for {detail}, and nothing says which is newer: leave one of them (or one"
    " download) in the archive folder",
    "older": "a newer {detail} of the same student is collected",
    "no notebook": f"the student has handed in this, and no notebook: {AGAIN}",
}


def left_out(one: LeftOut) -> str:
    """One file or archive that was left out, on one line that does nothing to a terminal."""
    return f"{shown(one.path)}: {WORDS[one.why].format(detail=_bounded(one.detail))}"


def left_out_lines(ones: Sequence[LeftOut]) -> list[str]:
    """All of them by student; of many with one reason, a few."""
    groups: dict[tuple[str, str], list[LeftOut]] = defaultdict(list)
    for one in ones:
        groups[one.owner, one.why].append(one)
    lines: list[str] = []
    for _, group in sorted(groups.items()):
        lines += [left_out(one) for one in group[:EACH]]
        if len(group) > EACH:
            lines.append(f"… and {len(group) - EACH} more like the last one")
    return lines


def new_students(names: Sequence[str], *, gradebook_is_empty: bool) -> str:
    """Who is new; with a roster in the gradebook, a name that nobody expects may be somebody's invention."""
    new = ", ".join(map(shown, names))
    if gradebook_is_empty:
        return f"The gradebook knows nobody yet. New: {new}"
    return f"New to the gradebook (correct a name that should not be new before you grade): {new}"


def shown(text: str) -> str:
    """Other people's text in quotation marks, with everything that cannot be printed as its code."""
    return repr(_bounded(text)) if text.isprintable() else ascii(_bounded(text))


def _bounded(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
