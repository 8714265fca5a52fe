"""Whether a worker elsewhere would grade as this machine does: versions, the course's files, the gradebook.

Asked on both sides of a cluster, by `proctor.executors.cluster` and by `proctor.executors.cluster_worker`.
"""

import hashlib
import platform
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import proctor
from proctor.course.folders import Course
from proctor.records import database
from proctor.records.memory import digest_of
from proctor.settings import CONFIG_FILE

PACKAGES = ("proctor", "tensorflow", "numpy", "nbgrader", "nbformat", "nbconvert", "ipykernel", "SQLAlchemy")


MISSING = "is not there"


def differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Say where `found` is not what is `wanted`; what was not looked at does not differ."""
    return [
        f"{name} {found[name]}, here {wanted[name]}" for name in wanted if name in found and found[name] != wanted[name]
    ]


def versions() -> dict[str, str]:
    """Versions of all that decides a grade, of this process."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = MISSING
    return {**found, "proctor's code": digest_of([Path(proctor.__file__).parent])[:12]}


def shared(course: Course, assignment: str) -> dict[str, str]:
    """What a run's processes have in common, if they do: the folder itself, its content, and the gradebook.

    Raises `CourseError` if the folder cannot be written to or the gradebook cannot be used.
    """
    folders = [course.folder("source", ".", assignment), course.hidden_tests(assignment)]
    digest = digest_of(folders) + hashlib.sha256((course.root / CONFIG_FILE).read_bytes()).hexdigest()
    try:
        tempfile.TemporaryFile(dir=course.state).close()
        mark = mark_of(course).read_text(encoding="ascii")
    except OSError as error:
        mark = f"{MISSING} ({error.strerror})"
    return {
        f"the folder {course.root}": mark,
        "the course's files": hashlib.sha256(digest.encode()).hexdigest()[:12],
        "the gradebook": database.identity(course.db_url(), assignment),
    }


def mark_of(course: Course) -> Path:
    """File that holds the name of the run: who reads the same in it sees the same folder."""
    return course.state / "run"
