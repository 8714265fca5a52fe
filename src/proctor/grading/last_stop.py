"""A limit around everything that is done for one student, should something be slow that has no limit of its own.

Used by `proctor.grading.student` in the worker processes. Each way to be slow that is known is bounded where it arises.
"""

import contextlib
import faulthandler
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from proctor.errors import TookTooLong

TIMES = 2  # what the notebooks' own limits come to, at most; an honest class never meets it
AGAIN = 5.0  # seconds until it is said once more to a block that has gone on all the same
PATIENCE = 60.0  # seconds after which a process that cannot even be told is ended


@contextlib.contextmanager
def within(seconds: float, patience: float = PATIENCE) -> Iterator[None]:
    """Raise `TookTooLong` in the block after `seconds` of wall clock, and end the process `patience` seconds later.

    Where signals cannot be had, in a thread that is not the main one, the process is ended without being told: whoever
    gave it the job names the submission.
    """
    told = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    with contextlib.ExitStack() as stack:
        nowhere = stack.enter_context(Path(os.devnull).open("wb"))
        # A thread of C's own: it needs neither Python's lock nor a signal.
        faulthandler.dump_traceback_later(seconds + patience * told, exit=True, file=nowhere)
        stack.callback(faulthandler.cancel_dump_traceback_later)
        if told:
            stack.enter_context(_alarm(seconds))
        yield


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TookTooLong(f"stopped after {seconds:g} s: look at what was handed in, and grade it by hand")

    handler = signal.signal(signal.SIGALRM, stop)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)
