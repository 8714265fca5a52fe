"""Keeps other packages from talking on our terminal: TensorFlow, databases, Dask."""

import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator

SETTINGS = {
    # Its start-up messages are about hardware that is not used here.
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    # A grading process's own TensorFlow, for the reference, computes little: its threads are only in the others' way.
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


def quiet_tensorflow() -> None:
    """Set what the instructor has not set otherwise; whatever starts a process calls it before TensorFlow comes in."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)


@contextlib.contextmanager
def captured_logs(*names: str) -> Iterator[io.StringIO]:
    """Collect what these loggers say instead of printing it: tracebacks of what we hear of by exceptions as well.

    A logger without a handler prints, too, and a package may add handlers when it is imported: import it before.
    """
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
    try:
        yield text
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate


@contextlib.contextmanager
def logged_exceptions(logger: logging.Logger) -> Iterator[list[BaseException]]:
    """Collect the exceptions that are being handled when `logger` is written to.

    nbgrader logs the traceback of whatever a submission raises, and raises one of its own: this tells the first.
    """
    raised: list[BaseException] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = sys.exc_info()[1]
            if error is not None and error not in raised:
                raised.append(error)

    handler = Collect(level=logging.ERROR)
    logger.addHandler(handler)
    try:
        yield raised
    finally:
        logger.removeHandler(handler)
