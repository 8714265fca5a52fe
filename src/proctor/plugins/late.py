"""Points off for late submissions, as plug-ins of nbgrader: one line in ``nbgrader_config.py`` chooses one.

::

    c.AssignLatePenalties.plugin_class = "proctor.PercentPerDay"
    c.PercentPerDay.percent = 20  # of the points earned, for each day begun; 10 unless said otherwise
    c.PercentPerDay.grace_minutes = 15
    c.PercentPerDay.at_most = 60

nbgrader calls a plug-in while it grades, so a new rule holds for what is graded from then on: ``proctor grade
--force``. The due date is set in formgrader or with ``nbgrader db assignment add NAME --duedate=...``. `LatePenalties`,
in nbgrader's pipeline, sees to it that the extensions of single students count.
"""

import math
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import LateSubmissionPlugin
from nbgrader.preprocessors import AssignLatePenalties
from traitlets import Float

from proctor.dates import extensions
from proctor.dates.lateness import Lateness, Rule
from proctor.results import in_notebook

DAY = 86_400.0


class LatePenalties(AssignLatePenalties):  # type: ignore[misc]
    """nbgrader's step for late work, with the course's extensions, and a note by which rule points were taken."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Take points off for late work; nbgrader calls this when the scores are in its gradebook."""
        metadata = resources["nbgrader"]
        granted = extensions.read(Path(CourseDirectory(config=self.config).root))
        with Gradebook(metadata["db_url"]) as book:
            submission = book.find_submission(metadata["assignment"], metadata["student"])
            if granted is not None:
                own = extensions.of(granted, metadata["student"], metadata["assignment"])
                submission.extension = own.beyond(submission.assignment.duedate) if own else None
                book.db.commit()
            late = self._lateness(submission)
        done: tuple[Any, Any] = super().preprocess(nb, resources)
        if late:
            in_notebook.note_lateness(nb.metadata, late)
        return done

    def _lateness(self, submission: Any) -> Lateness | None:
        if not submission.assignment.duedate or not submission.total_seconds_late:
            return None
        self.init_plugin()
        plugin, extension = self.plugin_inst, submission.extension
        rule = None
        if isinstance(plugin, PercentPerDay):
            rule = Rule(plugin.percent, plugin.grace_minutes, plugin.at_most)
        longer = extension.total_seconds() if extension else 0.0
        return Lateness(submission.total_seconds_late, str(submission.duedate), longer, rule)


class PercentPerDay(LateSubmissionPlugin):  # type: ignore[misc]
    """Take a share of the earned points for each day that has begun after the due date and the time of grace."""

    percent = Float(10.0, min=0.0, max=100.0, help="Percent of the earned points, for each day begun.").tag(config=True)
    grace_minutes = Float(0.0, min=0.0, help="Minutes after the due date that cost nothing.").tag(config=True)
    at_most = Float(100.0, min=0.0, max=100.0, help="Percent of the earned points that can be lost.").tag(config=True)

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Return the points to take away, rounded to hundredths; None where there is nothing to take.

        `score` is what the notebook earned, in points; `total_seconds_late` counts from the due date, in seconds.
        """
        # After the grace period, lateness counts from the due date.
        if total_seconds_late <= 60 * self.grace_minutes:
            return None
        days = math.ceil(total_seconds_late / DAY)
        penalty = round(score * min(days * self.percent, self.at_most) / 100, 2)
        return penalty or None
