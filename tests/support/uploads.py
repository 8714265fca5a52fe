"""Archives as learning platforms make them, with whatever an attacker has handed in, and what collecting them came to."""

import io
import re
import stat
import subprocess
import tarfile
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tiny_course
from commands import run
from course_files import ROOT

TINY = tiny_course.ASSIGNMENT
NOTEBOOK = f"{TINY}.ipynb"
GUIDE = (ROOT / "docs" / "instructors.md").read_text()
CANVAS, MOODLE = re.findall(r"```python\n(c\.FileNameCollectorPlugin.*?)```", GUIDE, re.DOTALL)
# With nbgrader's own plug-ins a path is that of the unpacked file; the first two were in our guide before.
OLD = {
    "canvas": r".*/[^/_]+(_LATE)?_(?P<student_id>\d+)_\d+_(?P<file_id>[^/]+?)(-\d+)?\.ipynb$",
    "moodle": r".*/(?P<student_id>[^/_]+)_\d+_assignsubmission_file_?/(?P<file_id>[^/]+)\.ipynb$",
    "blackboard": r".*_(?P<student_id>\w+)_attempt_(?P<timestamp>[0-9\-]+)_(?P<file_id>[^/]+)\.ipynb$",
}
SETTINGS = {"canvas": CANVAS, "moodle": MOODLE, "blackboard": ""}
STOCK = """
c.ZipCollectApp.extractor_plugin = "nbgrader.plugins.zipcollect.ExtractorPlugin"
c.ZipCollectApp.collector_plugin = "nbgrader.plugins.zipcollect.FileNameCollectorPlugin"
"""
HONEST = {
    "canvas": {"12345": "lovelaceada_12345_67890_", "777": "hopper_LATE_777_67891_"},
    "moodle": {
        "Ada Lovelace": "Ada Lovelace_1_assignsubmission_file_/",
        "Zoë d'Été": "Zoë d'Été_2_assignsubmission_file_/",
    },
    "blackboard": {"ada": "hw_ada_attempt_2026-01-30-15-00-00_", "bo": "hw_bo_attempt_2026-01-30-16-00-00_"},
}
# Attackers, by a number: where the platform puts their files, and their ids.
EVE = {
    "canvas": "eve_{0}666_{0}67893_",
    "moodle": "Eve Il {0}_{0}3_assignsubmission_file_/",
    "blackboard": "hw_eve{0}_attempt_2026-01-30-17-00-00_",
}
EVES_ID = {"canvas": "{}666", "moodle": "Eve Il {}", "blackboard": "eve{}"}
MB = 1 << 20
LINK, PIPE = stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644


@dataclass
class Download:
    """The folder ``archive`` of a course, and the platform's zip file that will be in it."""

    course: Path
    platform: str
    number: int = 0  # of the attacker whose turn it is
    entries: list[tuple[str, bytes, dict[str, Any]]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where nbgrader looks for downloads."""
        return self.course / "downloaded" / TINY / "archive"

    @property
    def place(self) -> str:
        """Where the platform puts the attacker's files."""
        return EVE[self.platform].format(self.number)

    @property
    def eves_id(self) -> str:
        """The attacker's id."""
        return EVES_ID[self.platform].format(self.number)

    def notebook(self, student: str = "eve") -> bytes:
        """The release, with a word that tells whose it is."""
        released = (self.course / "release" / TINY / NOTEBOOK).read_text()
        return released.replace("# Tiny", f"# Tiny, by {student}").encode()

    def add(self, path: str, content: bytes | None = None, **attributes: Any) -> None:
        """Put a file into the platform's zip file; `attributes` are its `ZipInfo`'s."""
        self.entries.append((path, self.notebook() if content is None else content, attributes))

    def eve(self, name: str = NOTEBOOK, content: bytes | None = None, **attributes: Any) -> None:
        """Hand in a file called `name` as Eve: it stands where the platform puts her files."""
        self.add(self.place + name, content, **attributes)

    def beside(self, name: str, content: bytes | None = None) -> Path:
        """Put a file beside the platform's zip file, into the folder that nbgrader reads."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.notebook() if content is None else content)
        return path

    def write(self) -> None:
        """Write the platform's zip file: the attacker's uploads between the honest ones."""
        first, *others = HONEST[self.platform].items()
        honest = [(place + NOTEBOOK, self.notebook(student), {}) for student, place in (first, *others)]
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "submissions.zip").write_bytes(zipped([honest[0], *self.entries, *honest[1:]]))


def zipped(entries: list[Any]) -> bytes:
    """A zip file of (path, content, attributes of the entry)."""
    target = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        warnings.filterwarnings("ignore", "Duplicate name")
        for path, content, *attributes in entries:
            info = zipfile.ZipInfo("x", (2026, 1, 30, 12, 0, 0))
            info.filename, info.compress_type = path, zipfile.ZIP_DEFLATED
            if path.endswith("/"):
                info.compress_type = zipfile.ZIP_STORED
            mode = attributes[0].get("mode", 0o644) if attributes else 0o644
            info.external_attr, info.create_system = mode << 16, 3
            for name, value in (attributes[0] if attributes else {}).items():
                if name != "mode":
                    setattr(info, name, value)
            file.writestr(info, content)
    return target.getvalue()


def tarred(members: list[tuple[str, bytes | None, dict[str, Any]]], mode: str = "w:gz", **options: Any) -> bytes:
    """A tar file of (path, content, attributes of the member)."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode, **options) as file:
        for path, content, attributes in members:
            info = tarfile.TarInfo(path)
            info.size = len(content or b"")
            for name, value in attributes.items():
                setattr(info, name, value)
            file.addfile(info, io.BytesIO(content) if content else None)
    return target.getvalue()


def zeros(megabytes: int) -> bytes:
    """Nothing, and much of it."""
    return bytes(megabytes * MB)


@dataclass(frozen=True)
class Outcome:
    """What ``nbgrader zip_collect`` came to; `harm` lists everything that is not as if nobody had attacked."""

    harm: list[str]
    said: str


def collect(download: Download, more: str, also: frozenset[str], timeout: float = 60) -> Outcome:
    """Collect as an instructor does, with `more` in the configuration; `also` are other students to be collected."""
    course = download.course
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"\n{more}\n")
    before = _outside(course)
    try:
        done = run(course, "nbgrader", "zip_collect", TINY, "--force", timeout=timeout)
    except subprocess.TimeoutExpired:
        return Outcome(["it never ends"], "")
    harm = ["the command ends for the whole class"] if done.returncode else []
    harm += _harm_to_students(download, also)
    if _outside(course) != before:
        harm.append(f"something outside has changed: {set(_outside(course)) ^ set(before)}")
    unpacked = sum(path.lstat().st_size for path in (course / "downloaded" / TINY).rglob("extracted/**/*"))
    if unpacked > 60 * MB:
        harm.append(f"{unpacked >> 20} MB are unpacked")
    said = done.stdout + done.stderr
    if any(not character.isprintable() for line in said.splitlines() for character in line.replace("\t", "")):
        harm.append("something reaches the terminal that cannot be printed")
    return Outcome(harm, said)


def _harm_to_students(download: Download, also: frozenset[str]) -> list[str]:
    submitted, honest = download.course / "submitted", HONEST[download.platform]
    there = {path.name for path in submitted.iterdir()}
    harm = [f"{student} is not collected" for student in {*honest, *also} - there]
    harm += [f"{student!r} is collected" for student in there - {*honest, *also}]
    for student in set(honest) & there:
        files = {path: path.read_bytes() for path in (submitted / student / TINY).iterdir() if path.suffix != ".txt"}
        if files != {submitted / student / TINY / NOTEBOOK: download.notebook(student)}:
            harm.append(f"{student} has not what {student} handed in")
    for path in submitted.rglob("*"):
        if path.is_symlink() or path.lstat().st_mode & 0o7022:
            harm.append(f"{path.name} is a link, or everybody's to write")
        elif path.is_file() and b"return x + x" in path.read_bytes():
            harm.append("the reference solution is in a submission")
        elif path.name == "timestamp.txt" and "2020" in path.read_text():
            harm.append("a student has written when it was handed in")
    return harm


def _outside(course: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of every file around the course, but where collecting writes."""
    inside = (course / "submitted", course / "downloaded" / TINY / "extracted", course / ".proctor")
    return {
        path: (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in course.parent.rglob("*")
        if not path.is_dir() and not any(path.is_relative_to(folder) for folder in inside) and ".db" not in path.name
    }
