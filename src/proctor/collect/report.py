"""What is said when ``nbgrader zip_collect`` is over: who was left out, and who is new.

nbgrader asks no plug-in at its end, and logs some lines for each student after it last did: nobody would scroll up to a
warning from before them. So it is said when the process ends, however it does.
"""

import atexit
from typing import Any

from proctor.render import uploads
from proctor.results.left_out import LeftOut


class Report:
    """Gathers what is to be said, and says it once."""

    def __init__(self, log: Any) -> None:
        """`log` is the application's."""
        self._log = log
        self.left_out: list[LeftOut] = []
        self.collected: frozenset[str] = frozenset()
        self.known: frozenset[str] = frozenset()
        atexit.register(self.tell)

    def tell(self) -> None:
        """Log it all."""
        atexit.unregister(self.tell)
        new = sorted(self.collected - self.known)
        if new:
            log = self._log.warning if self.known else self._log.info
            log("%s", uploads.new_students(new, gradebook_is_empty=not self.known))
        for line in uploads.report(self.left_out, self.collected):
            self._log.warning("%s", line)
