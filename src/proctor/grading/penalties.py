"""Late penalties, worked out anew for who has got points by hand: nbgrader takes them once, when it grades.

Called by ``proctor grade`` at its end. Feedback does the same by itself, as a step in `proctor.plugins.configure`. What
is taken off is the course's own rule, a plug-in of nbgrader.
"""

from nbformat.v4 import new_notebook
from nbgrader.preprocessors import AssignLatePenalties

from proctor.course.folders import Course
from proctor.course.quiet import captured_logs
from proctor.errors import CourseError
from proctor.records import gradebook
from proctor.records.gradebook import HandIn


def renew_penalties(course: Course, assignment: str) -> None:
    """Have the gradebook's penalties fit its points. Raises `CourseError` if the course's plug-in does not work."""
    submissions = gradebook.read(course, assignment).submissions
    late = [student for student, hand_in in submissions.items() if hand_in.late and _has_points_by_hand(hand_in)]
    if not late:
        return
    with captured_logs("traitlets"):
        step = AssignLatePenalties(config=course.config)
        for student in late:
            for notebook in course.notebooks(assignment):
                names = {"student": student, "assignment": assignment, "notebook": notebook, "db_url": course.db_url()}
                try:
                    step.preprocess(new_notebook(), {"nbgrader": names})
                except Exception as error:
                    raise CourseError(f"the late penalty of {student} cannot be worked out: {error}") from error


def _has_points_by_hand(hand_in: HandIn) -> bool:
    return any(grade.score != grade.automatic for grade in hand_in.grades.values())
