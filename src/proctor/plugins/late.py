"""Points off for late submissions, as plug-ins of nbgrader: one line in ``nbgrader_config.py`` chooses one.

::

    c.AssignLatePenalties.plugin_class = "proctor.PercentPerDay"
    c.PercentPerDay.percent = 20  # of the points earned, for each day begun; 10 unless said otherwise
    c.PercentPerDay.grace_minutes = 15
    c.PercentPerDay.at_most = 60

nbgrader calls a plug-in while it grades, so a new rule holds for what is graded from then on: ``proctor grade
--force``. The due date is set in formgrader or with ``nbgrader db assignment add NAME --duedate=...``; extensions
count.
"""

import math

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Float

DAY = 86_400.0


class PercentPerDay(LateSubmissionPlugin):  # type: ignore[misc]
    """Take a share of the earned points for each day that has begun after the due date and the time of grace."""

    percent = Float(10.0, min=0.0, max=100.0, help="Percent of the earned points, for each day begun.").tag(config=True)
    grace_minutes = Float(0.0, min=0.0, help="Minutes after the due date that cost nothing.").tag(config=True)
    at_most = Float(100.0, min=0.0, max=100.0, help="Percent of the earned points that can be lost.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Return the points to take away, rounded to hundredths; None where there is nothing to take.

        `score` is what the notebook earned, in points; `total_seconds_late` counts from the due date, in seconds.
        """
        # The grace is a gift, not a delay of the clock: who needs more than it is late since the due date.
        if total_seconds_late <= 60 * self.grace_minutes:
            return None
        days = math.ceil(total_seconds_late / DAY)
        penalty = round(score * min(days * self.percent, self.at_most) / 100, 2)
        return penalty or None
