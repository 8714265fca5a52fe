"""What is said when ``nbgrader zip_collect`` is over: who was left out, who is new, and whose lateness is unknown.

nbgrader asks no plug-in at its end, and logs some lines for each student after it last did: nobody would scroll up to a
warning from before them. So it is said when the process ends, however it does.
"""

import atexit
from typing import Any

from proctor.render import uploads
from proctor.results.collected import Collected
from proctor.results.left_out import LeftOut


class Report:
    """Gathers what is to be said, and says it once."""

    def __init__(self, log: Any) -> None:
        """`log` is the application's."""
        self._log = log
        self.left_out: list[LeftOut] = []
        self.collected: dict[str, Collected] = {}
        self.known: frozenset[str] = frozenset()
        self.unread_tables: list[str] = []
        self.of_one_download = False
        atexit.register(self.tell)

    def tell(self) -> None:
        """Log it all."""
        atexit.unregister(self.tell)
        new = sorted(set(self.collected) - self.known)
        if new:
            log = self._log.warning if self.known else self._log.info
            log("%s", uploads.new_students(new, gradebook_is_empty=not self.known))
        unread = map(uploads.unread_table, self.unread_tables)
        for line in [*unread, *uploads.lateness(self.collected, of_one_download=self.of_one_download)]:
            self._log.warning("%s", line)
        for line in uploads.report(self.left_out, self.collected):
            self._log.warning("%s", line)
