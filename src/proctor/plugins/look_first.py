"""A look at a submission's folder before nbgrader's own ``autograde`` reads or copies anything in it.

nbgrader waits without end for a named pipe, copies what a link leads to and files with holes as large as they claim to
be, and takes the square of the number of files. `proctor grade` looks before it calls nbgrader; this is for the others.
"""

from functools import wraps
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde

from proctor.course.submitted_folder import no_submission
from proctor.errors import CourseError


def look_first() -> None:
    """Have `Autograde` refuse such a submission as one that fails: it is named, and the others are graded."""
    init_destination = Autograde.init_destination
    if hasattr(init_destination, "__wrapped__"):  # this process has read a configuration before
        return

    @wraps(init_destination)
    def looking_first(converter: Any, assignment_id: str, student_id: str) -> bool:
        folder = Path(converter._format_source(assignment_id, student_id))
        left_out = student_id in converter.coursedir.student_id_exclude.split(",")
        reason = "" if left_out else no_submission(folder, student_id)
        if reason:
            raise CourseError(f"{folder}: {reason}")
        return bool(init_destination(converter, assignment_id, student_id))

    Autograde.init_destination = looking_first
