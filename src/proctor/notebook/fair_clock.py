"""A time limit that does not depend on how busy the machine is.

Used by `proctor.notebook.student_kernel` for each cell and each call. On a busy machine a process stands in line for a
processor; Linux counts for how long. That time is given back, up to a fence, so that a student's points do not hang on
what the machine does besides. A process that sleeps or waits for something else stands in no line.
"""

import math
import time
from pathlib import Path

FENCE = 4.0  # times the limit; then it is over, whatever the machine did


class FairClock:
    """Counts down `seconds` in which the main thread of the process `pid` runs, or could.

    Nothing is given back past the moment `until`, in terms of ``time.monotonic``.
    """

    def __init__(self, seconds: float, pid: int | None, until: float = math.inf) -> None:
        self._pid = pid
        self._waited = seconds_in_line(pid)
        now = time.monotonic()
        self._end = now + seconds
        self._fence = max(self._end, min(now + FENCE * seconds, until))

    def left(self) -> float:
        """Seconds of wall clock that are left, at least: when they are over there may be some more."""
        now = time.monotonic()
        if now < self._end:
            return self._end - now
        return min(self._end + seconds_in_line(self._pid) - self._waited, self._fence) - now


def seconds_in_line(pid: int | None) -> float:
    """How long the main thread of `pid` has waited for a processor since its start; 0 where the system does not say."""
    try:
        # Time spent running, time spent waiting to run (both in ns), number of turns: see the kernel's sched-stats.rst.
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
