"""One notebook graded on its own, without the course's gradebook: ``proctor check``.

The notebook goes through the very pipeline that grades a class, in a throw-away course, so that it gets the same
points: restored cells, limits, sandbox and all.
"""

import copy
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from proctor.course.folders import Course
from proctor.errors import CourseError
from proctor.grading import student as grade_student
from proctor.results.submission_result import SubmissionResult

STUDENT = "notebook"


def choose(course: Course, notebook: Path, assignment: str | None) -> str:
    """Return the assignment that `notebook` is for: `assignment`, or by its name, or the course's only one.

    Raises `CourseError` when the notebook does not exist, or the assignment cannot be told.
    """
    if not notebook.is_file():
        raise CourseError(f"{notebook}: no such notebook")
    if assignment is None and notebook.stem in course.assignments():
        return notebook.stem
    return course.choose(assignment)


def needed(course: Course, notebook: Path, assignment: str) -> list[str]:
    """Return which modules of the setting ``preload`` the code of the notebook or of its hidden tests mentions.

    In whatever way it would import them; one that is mentioned for another reason costs time only.
    """
    code = [path.read_text(encoding="utf-8", errors="replace") for path in course.hidden_tests(assignment).glob("*.py")]
    mentioned = {word for text in (_code_of(notebook), *code) for word in re.findall(r"\w+", text)}
    return [module for module in course.settings.preload if module.partition(".")[0] in mentioned]


def _code_of(notebook: Path) -> str:
    """The text of the code cells; what is no notebook is found out when it is graded."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def check(course: Course, notebook: Path, assignment: str) -> SubmissionResult:
    """Grade `notebook` as if it had been handed in for `assignment`. Raises `CourseError` if that cannot be made."""
    with tempfile.TemporaryDirectory(prefix="proctor-check-") as folder:
        throw_away = _throw_away_course(course, Path(folder), assignment)
        names = course.notebooks(assignment)
        name = names[0] if len(names) == 1 else notebook.stem
        if name not in names:
            raise CourseError(f"{notebook}: {assignment} has the notebooks {', '.join(names)}; which of them is it?")
        submitted = throw_away.folder("submitted", STUDENT, assignment)
        submitted.mkdir(parents=True)
        for path in _beside(notebook, assignment):
            shutil.copyfile(path, submitted / path.name)
        shutil.copyfile(notebook, submitted / f"{name}.ipynb")
        result = grade_student.grade_in(throw_away, assignment, STUDENT)
        return replace(result, flags=tuple(flag for flag in result.flags if flag.kind != "not handed in"))


def ends(course: Course, assignment: str, seeds: Sequence[int]) -> Iterator[tuple[str, int, SubmissionResult]]:
    """Grade the source and the release as if each had been handed in: step, seed and what came of it."""
    with tempfile.TemporaryDirectory(prefix="proctor-check-") as folder:
        throw_away = _throw_away_course(course, Path(folder), assignment)
        for step in ("source", "release"):
            submitted = throw_away.folder("submitted", STUDENT, assignment)
            shutil.rmtree(submitted, ignore_errors=True)
            shutil.copytree(throw_away.folder(step, ".", assignment), submitted)
            for seed in seeds:
                throw_away.config.ProctoredExecute.seed = seed
                yield step, seed, grade_student.grade_in(throw_away, assignment, STUDENT)


def _beside(notebook: Path, assignment: str) -> list[Path]:
    """Files that would be handed in with the notebook: all in a folder of the assignment, else modules that it names.

    A notebook may lie among downloads, which are nobody's hand-in.
    """
    files = [path for path in notebook.resolve().parent.iterdir() if path.is_file() and path.suffix != ".ipynb"]
    if notebook.resolve().parent.name == assignment:
        return files
    words = set(re.findall(r"\w+", _code_of(notebook)))
    return [path for path in files if path.suffix == ".py" and path.stem in words]


def _throw_away_course(course: Course, root: Path, assignment: str) -> Course:
    config: Any = copy.deepcopy(course.config)
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root}/gradebook.db"
    config.ProctoredExecute.run_all_cells = True  # who checks a notebook wants to know that all of it runs
    config.ProctoredExecute.grader_tests = str(course.hidden_tests(".").resolve())
    shutil.copytree(course.folder("source", ".", assignment), root / "source" / assignment)
    made = Course(root, config)
    result = made.api().generate_assignment(assignment, force=True, create=True)
    if not result["success"]:
        raise CourseError(f"source/{assignment}: nbgrader could not generate the assignment: {result['error']}")
    return made
