"""Worker processes on this machine: a pool that imports TensorFlow once and leaves nothing behind.

The workers are forked from the command's own process after it has imported what the hidden tests need. They notice its
end through a pipe, so that not even a SIGKILL of the command leaves a worker.
"""

import contextlib
import gc
import importlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor

from proctor.kernels.warm_process import NOTHING, start_warm_process
from proctor.sandbox import machine
from proctor.sandbox.scratch import abandon
from proctor.settings import WARM_FD


class Pool(ProcessPoolExecutor):
    """A pool of `jobs` processes that end when this process ends. Where forking is not safe, they are started anew."""

    def __init__(self, jobs: int) -> None:
        """Make the pool; its processes start with the first job."""
        method = "fork" if machine.can_fork() else "spawn"
        self._lifeline: tuple[int, ...] = os.pipe()
        lifeline = self._lifeline if method == "fork" else None
        context = multiprocessing.get_context(method)
        super().__init__(jobs, mp_context=context, initializer=_begin, initargs=(lifeline,))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop taking jobs, and let go of the processes."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        lifeline, self._lifeline = self._lifeline, ()
        for end in lifeline:
            os.close(end)


def make_pool(jobs: int) -> Executor:
    """Make an executor for `proctor.grading.class_run.grade`."""
    return Pool(jobs)


@contextlib.contextmanager
def warm(preload: Sequence[str], environment: Mapping[str, str] = NOTHING) -> Iterator[None]:
    """Have everything imported before the first worker is forked, here and in the process that kernels come from.

    Both import at the same time. `environment` is that of the kernels. Raises `KernelNotStarted` if a module of
    `preload` cannot be imported.
    """
    kernels = start_warm_process(preload, environment) if machine.can_fork() else None
    try:
        _import_for_jobs(preload)
        if kernels is not None:
            os.environ.update(kernels.wait_ready().environment)
        gc.collect()
        gc.freeze()  # what was imported stays: no worker has to look through it, or to copy it
        yield
    finally:
        if kernels is not None:
            os.environ.pop(WARM_FD, None)
            kernels.close()


def _import_for_jobs(preload: Sequence[str]) -> None:
    for name in ("nbgrader.apps", "nbgrader.converters", "proctor.autograde.execute", *preload):
        with _quiet(), contextlib.suppress(ImportError):
            importlib.import_module(name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """TensorFlow's C++ side greets on the process's stderr before any setting can stop it; nobody here needs that."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def leave_interrupts_to_the_command() -> None:
    """Ctrl-C reaches every process of a terminal; only the command's own acts on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _begin(lifeline: tuple[int, ...] | None) -> None:
    """Prepare a worker: the command's end is its own."""
    leave_interrupts_to_the_command()
    if lifeline is None:
        return
    reading, writing = lifeline
    os.close(writing)

    def end_with_the_command() -> None:
        os.read(reading, 1)
        abandon()
        os._exit(1)

    threading.Thread(target=end_with_the_command, daemon=True).start()
