"""Where an assignment stands: what has been done of it, and for how many students.

Counted by `proctor.cli.tour`; `proctor.render.words` says what comes next.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """Numbers of students: who has `handed_in`, is `graded`, has to be looked at by a person, has a `feedback` page."""

    assignment: str
    released: bool
    handed_in: int = 0
    graded: int = 0
    to_review: int = 0
    feedback: int = 0
