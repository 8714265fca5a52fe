"""A notebook under another name, for nbgrader's own ``autograde``: put right before nbgrader looks for it.

nbgrader calls this with the notebooks of one submission, before it reads them. A submission without any ``.ipynb`` in
the assignment's folder never comes here: nbgrader has told by then that it finds none.
"""

from pathlib import Path
from typing import Any

from proctor.course import folders
from proctor.misplaced import place


def put_right(assignment: str, student: str, notebooks: list[str], **_: Any) -> None:
    """Place the notebook, if it is beyond doubt which file it is, and have nbgrader read it."""
    course = folders.load_once(Path.cwd())
    student = Path(notebooks[0]).parent.parent.name  # `student` may be a pattern for a whole class
    if course.folder("submitted", student, assignment) != Path(notebooks[0]).parent:
        return
    for one in place.put_right(course, assignment, [student]).taken:
        notebooks.append(str(course.root / one.placed))
