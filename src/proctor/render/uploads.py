"""The sentences about what ``nbgrader zip_collect`` has left out or does not know: the reason, and what to do."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from proctor.render import words
from proctor.results.collected import Collected
from proctor.results.left_out import LeftOut, Why

EACH = 3  # files of one student with one reason that are named each
SHOWN = 160  # characters of a path

AGAIN = "ask the student to hand in the notebook alone"
PLACE = "docs/instructors.md has an expression for each platform"
BY_HAND = "put it into submitted/<id>/<assignment>/ by hand"


def _raise(setting: str) -> str:
    return f"ask for less, or raise c.PlatformExtractor.{setting}"


# The reason, and what to do if nothing of the student is collected.
WORDS: Mapping[Why, tuple[str, str]] = {
    "unreadable archive": ("cannot be read as an archive ({detail}), nothing of it is collected", "download it again"),
    "too many entries": ("holds too many files, nothing of it is collected", _raise("entries")),
    "too much in archive": ("unpacks to too much, nothing of it is collected", _raise("total_size")),
    "other format": ("archives of this kind are not unpacked", "download or pack it as .zip"),
    "archive in a folder": (
        "archives in folders are not unpacked",
        f"if it is the platform's, put it into the archive folder itself; if not, {AGAIN}",
    ),
    "own archive": ("a student's own archive is not unpacked", f"{AGAIN}, or rename the file if it is the platform's"),
    "archive inside": ("an archive inside an archive is not unpacked", AGAIN),
    "outside": ("its name could lead out of the folder", AGAIN),
    "unprintable": ("its name has characters that cannot be printed", AGAIN),
    "long name": ("its name is too long", AGAIN),
    "deep": ("it lies too many folders deep", AGAIN),
    "twice": ("there are two files of this name (capital letters do not count)", AGAIN),
    "file and folder": ("it is a file and a folder at once", AGAIN),
    "link": ("it is a link, not a file", AGAIN),
    "special": ("it is no ordinary file", AGAIN),
    "encrypted": ("it is encrypted", AGAIN),
    "packed otherwise": ("it is packed in a way that no platform uses", AGAIN),
    "damaged": ("it is damaged, or not as long as the archive says", AGAIN),
    "closed": ("it cannot be read here", "give yourself the right to read it, and collect again"),
    "cannot be written": ("it cannot be written here", AGAIN),
    "file size": ("the file is too large", _raise("file_size")),
    "student size": ("this student's files are too large together", _raise("student_size")),
    "student files": ("this student has too many files", _raise("student_files")),
    "total size": ("all files together are too large, and the largest are left out first", _raise("total_size")),
    "unmatched": (
        "it is not where the platform puts a student's file, or c.FileNameCollectorPlugin.named_regexp does not fit",
        PLACE,
    ),
    "in a folder": ("it lies in a folder, and not where the platform puts this student's files", AGAIN),
    "misplaced": (
        "the student's name stands where anybody could have written it: deeper than the platform puts it",
        AGAIN,
    ),
    "two readings": (
        "it can be read as one student's and as that of {detail!r}, so it is nobody's",
        f"ask the student to hand in the notebook under the name that it had; if this happens to many, {PLACE}",
    ),
    "no student": ("no student is named where the platform puts one", PLACE),
    "bad id": ("{detail}", f"or {BY_HAND}"),
    "unknown id": ("the gradebook does not know {detail!r}", "add the student there first"),
    "bad name": ("a submission cannot hold a file of this name", AGAIN),
    "bad time": ("the time in its name cannot be read", PLACE),
    "two people": ("two people would be {detail!r}, and are not mixed up", f"under ids of their own, {BY_HAND}"),
    "which is newer": (
        "there are two files for {detail}, and nothing says which is newer",
        "leave one of them (or one download) in the archive folder",
    ),
    "older": ("a newer {detail} of the same student is collected", ""),
    "no notebook": ("the student has handed in this, and no notebook", AGAIN),
}


def left_out(one: LeftOut, *, advise: bool = True) -> str:
    """One file or archive that was left out, on one line that does nothing to a terminal."""
    reason, advice = WORDS[one.why]
    to_do = f": {advice}" if advice and advise else ""
    return f"{shown(one.path)}: {reason.format(detail=_bounded(one.detail))}{to_do}"


def report(ones: Sequence[LeftOut], collected: Collection[str]) -> list[str]:
    """All that was left out: first of those of whom nothing is collected, then of the others, who need not be asked."""
    nothing = [one for one in ones if one.owner not in collected]
    others = [one for one in ones if one.owner in collected]
    lines = ["Not collected:", *_by_student(nothing, advise=True)] if nothing else []
    return lines + (["Collected, but not these files of theirs:", *_by_student(others, advise=False)] if others else [])


def _by_student(ones: Sequence[LeftOut], *, advise: bool) -> list[str]:
    groups: dict[tuple[str, str], list[LeftOut]] = defaultdict(list)
    for one in ones:
        groups[one.owner, one.why].append(one)
    lines: list[str] = []
    for _, group in sorted(groups.items()):
        lines += [f"  {left_out(one, advise=advise)}" for one in group[:EACH]]
        if len(group) > EACH:
            lines.append(f"  … and {len(group) - EACH} more like the last one")
    return lines


TIMES = "docs/instructors.md (Late work) says how to add the times"


def unread_table(reason: str) -> str:
    """A table of times of which one line cannot be read: the others would not be the whole class."""
    return f"{reason}. Until then, none of this table's times is used."


def lateness(collected: Mapping[str, Collected], *, of_one_download: bool = False) -> list[str]:
    """Whose lateness is unknown: a platform that says no time does not mean that nobody was late."""
    marked = sorted(student for student, one in collected.items() if one.late and not one.timed)
    untimed = sum(not one.timed and one.late is None for one in collected.values())
    lines = []
    if of_one_download:
        lines.append("The archive's dates lie within minutes of each other: they are the download's, and are not used.")
    if marked:
        names = ", ".join(map(shown, marked))
        lines.append(f"LATE, but how late is unknown, so nothing is taken off: {names}. {TIMES}.")
    if untimed:
        lines.append(f"When it was handed in is unknown of {untimed} of {len(collected)} students: none of them counts "
                     f"as late. {TIMES}.")  # fmt: skip
    return lines


def new_students(names: Sequence[str], *, gradebook_is_empty: bool) -> str:
    """Who is new; with a roster in the gradebook, a name that nobody expects may be somebody's invention."""
    new = ", ".join(map(shown, names))
    if gradebook_is_empty:
        return f"The gradebook knows nobody yet. New: {new}"
    return f"New to the gradebook (is each of them in your class?): {new}"


def shown(text: str) -> str:
    """Other people's text in quotation marks, with everything that cannot be printed as its code."""
    return repr(_bounded(text)) if text.isprintable() else ascii(_bounded(text))


def _bounded(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def taken(student: str, file: str, placed: str) -> str:
    """What is said of a notebook that was put where nbgrader looks for it."""
    return words.plain(f"{student}: took {file} for {placed}")


def nothing_to_take(folder: str, assignment: str, files: Sequence[str]) -> str:
    """What is said of a student whose files hold no notebook of the assignment, or more than one."""
    return words.plain(
        f"{folder}: found {words.listed(files)}, and nothing that is beyond doubt a notebook of {assignment}: put the "
        f"right one into {folder}/{assignment}/, or ask the student to hand in again"
    )


def nobodys(file: str, assignment: str) -> str:
    """What is said of a file that lies between the students' folders."""
    return words.plain(
        f"{file}: nobody's: put it into submitted/STUDENT/{assignment}/, or collect archives with nbgrader zip_collect"
    )
