"""A time limit that does not depend on how busy the machine is.

Used by `proctor.notebook.student_kernel` for each cell and each call. On a busy machine a process stands in line for a
processor; Linux counts for how long. That time is given back, up to a fence, so that a student's points do not hang on
what the machine does besides. A process that sleeps or waits for something else stands in no line.

What the fence takes, or what threads wait for while the main one sleeps, is not given back: then the process was
`crowded`, and `proctor.grading.class_run` has the submission graded once more, alone.
"""

import math
import os
import time

FENCE = 2.0  # times the limit; then it is over, whatever the machine did, until the submission has it for itself
SERVED = 0.8  # of its limit a process has computed: it would have taken longer on an empty machine, too
CROWDED = 0.1  # of its limit a process has stood in line: an empty machine could have been quick enough


class FairClock:
    """Counts down `seconds` in which the main thread of the process `pid` runs, or could.

    Nothing is given back past the moment `until`, in terms of ``time.monotonic``.
    """

    def __init__(self, seconds: float, pid: int | None, until: float = math.inf) -> None:
        self._pid = pid
        self._seconds = seconds
        self._waited = seconds_in_line(pid)
        self._ran, self._all_waited = seconds_run(pid), seconds_in_line_of_all(pid)
        now = time.monotonic()
        self._end = now + seconds
        self._fence = max(self._end, min(now + FENCE * seconds, until))

    def left(self) -> float:
        """Seconds of wall clock that are left, at least: when they are over there may be some more."""
        now = time.monotonic()
        if now < self._end:
            return self._end - now
        return min(self._end + seconds_in_line(self._pid) - self._waited, self._fence) - now

    def crowded(self) -> bool:
        """Whether others may have kept the process from its time: since the start it computed little, and waited."""
        if seconds_run(self._pid) - self._ran >= SERVED * self._seconds:
            return False
        return seconds_in_line_of_all(self._pid) - self._all_waited >= CROWDED * self._seconds


def seconds_in_line(pid: int | None) -> float:
    """How long the main thread of `pid` has waited for a processor since its start; 0 where the system does not say."""
    return _sched_stat(f"/proc/{pid}/schedstat", 1)


def seconds_in_line_of_all(pid: int | None) -> float:
    """The same of all its threads that are there, together."""
    try:
        threads = [thread.path for thread in os.scandir(f"/proc/{pid}/task")]
    except OSError:
        return 0.0
    return sum(_sched_stat(f"{thread}/schedstat", 1) for thread in threads)


def seconds_run(pid: int | None) -> float:
    """How long the main thread of `pid` has computed since its start; 0 where the system does not say."""
    return _sched_stat(f"/proc/{pid}/schedstat", 0)


def line_of(file: str) -> bytes:
    """What is in a file of /proc that has one line, in a third of the time that `pathlib` takes: each cell reads ten.

    Raises ``OSError``.
    """
    descriptor = os.open(file, os.O_RDONLY)
    try:
        return os.read(descriptor, 1000)
    finally:
        os.close(descriptor)


def _sched_stat(file: str, place: int) -> float:
    try:
        # Time spent running, time spent waiting to run (both in ns), number of turns: see the kernel's sched-stats.rst.
        return int(line_of(file).split()[place]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
