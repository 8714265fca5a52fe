"""A limit around everything that is done for one student, should something be slow that has no limit of its own.

Used by `proctor.grading.student` in the worker processes. Each way to be slow that is known is bounded where it arises.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

from proctor.errors import TookTooLong

TIMES = 3  # what the notebooks' own limits come to, at most; an honest class never meets it


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` in the block after `seconds` of wall clock, where signals can be had: in the main thread."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise TookTooLong(f"stopped after {seconds:g} s: look at what was handed in, and grade it by hand")

    handler = signal.signal(signal.SIGALRM, stop)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
