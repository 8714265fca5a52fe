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
        self.new: list[str] = []
        self.collected: int | None = None
        self.gradebook_is_empty = False
        atexit.register(self.tell)

    def tell(self) -> None:
        """Log it all."""
        atexit.unregister(self.tell)
        if self.new:
            level = self._log.info if self.gradebook_is_empty else self._log.warning
            level("%s", uploads.new_students(self.new, gradebook_is_empty=self.gradebook_is_empty))
        if self.left_out:
            rest = "" if self.collected is None else f"; files of {self.collected} students are collected"
            self._log.warning("Left out%s:", rest)
            for line in uploads.left_out_lines(self.left_out):
                self._log.warning("  %s", line)
