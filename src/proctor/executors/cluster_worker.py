"""A Dask worker's end of `proctor.executors.cluster`: one grading process a run, and whether the worker is fit for it.

Grading happens in a child process of the worker, as on one machine: nbgrader changes the working directory, the
worker's own threads must answer the scheduler in time, and whatever ends the child does not end the worker. The child
keeps one warm process that kernels are forked from. It ends with its run of ``proctor grade`` or with the worker,
however that ends, so that no job goes on where it was given up.
"""

import asyncio
import contextlib
import multiprocessing
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from proctor.course import folders as courses
from proctor.course.quiet import quiet_tensorflow
from proctor.errors import ClusterError, OurFault
from proctor.executors import pool as workers
from proctor.executors.same_course import differences, shared, versions
from proctor.sandbox import machine
from proctor.sandbox.scratch import abandon

TRIES = 2
ENDING = "end proctor's grading processes"


@dataclass(frozen=True)
class Order:
    """Which run a job belongs to and what its worker has to have. It travels openly: no URL of a database is in it."""

    run: str
    root: str
    assignment: str
    wanted: Mapping[str, str]


@dataclass(frozen=True)
class Readiness:
    """What the command is told of a worker: with `problems` it must not grade."""

    host: str
    problems: Sequence[str] = ()


class GradingProcess:
    """The grading process of one worker for one run; used from the worker's threads."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self._stopped = False
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call `function` in the grading process; once more in a new one if it dies. Raises `OurFault` if that does."""
        for _ in range(TRIES):
            try:
                return self._ready_pool().submit(function, *arguments).result()
            except BrokenProcessPool:
                self._end_pool()
        raise OurFault("the worker process died twice while grading it")

    def readiness(self) -> Readiness:
        """Start the grading process if there is none, and have it look at what is there and import what it needs."""
        with self._lock:
            if self._stopped:
                return Readiness(socket.gethostname(), ["the run was stopped"])
            if self._pool is None:
                self._pool = _make_pool()
            started = self._pool.submit(_look_around, self.order)
        try:
            return started.result()
        except BrokenProcessPool:
            self._end_pool()
            return Readiness(socket.gethostname(), ["its grading process died at its start"])

    def stop(self) -> None:
        """End the grading process and its kernels, whatever they are doing."""
        self._stopped = True
        self._end_pool()

    def _ready_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            problems = self.readiness().problems
            if problems:
                self._end_pool()
                raise ClusterError(f"a worker on {socket.gethostname()}: {'; '.join(problems)}")
        pool = self._pool
        if pool is None:
            raise BrokenProcessPool
        return pool

    def _end_pool(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):
                process.kill()
            pool.shutdown(cancel_futures=True)


_processes: dict[str, GradingProcess] = {}
_processes_lock = threading.Lock()


def _process(order: Order) -> GradingProcess:
    with _processes_lock:
        return _processes.setdefault(order.run, GradingProcess(order))


def work(order: Order, function: Callable[..., Any], *arguments: Any) -> Any:
    """One job, as Dask calls it."""
    from distributed import get_worker

    _end_with(get_worker())
    return _process(order).call(function, *arguments)


async def prepare(order: Order, dask_worker: Any) -> Readiness:
    """Get ready for a run. Whoever grades this course alone has sent it, so earlier runs of the course are over."""
    _end_with(dask_worker)
    with _processes_lock:
        over = [run for run, process in _processes.items() if process.order.root == order.root and run != order.run]
    for run in over:
        await stop(run)
    return await asyncio.to_thread(_process(order).readiness)


async def stop(run: str) -> None:
    """End a run's grading process on this worker."""
    with _processes_lock:
        process = _processes.pop(run, None)
    if process is not None:
        await asyncio.to_thread(process.stop)


def _end_with(worker: Any) -> None:
    """End every grading process when Dask closes its worker, for example because the scheduler is lost.

    The worker's process would wait for the submission that is being graded.
    """
    from distributed import WorkerPlugin

    class End(WorkerPlugin):
        async def teardown(self, worker: Any) -> None:
            for run in list(_processes):
                await stop(run)

    if ENDING not in worker.plugins:
        worker.loop.add_callback(worker.plugin_add, End(), ENDING)


async def unprotected() -> list[str]:
    """Protections that the worker's machine lacks, in words; tried once in a worker's life."""
    lacks = await asyncio.to_thread(machine.missing)
    return [f"{lack.name} ({lack.why})" for lack in lacks]


def _make_pool() -> ProcessPoolExecutor:
    # Dask's nanny starts workers as daemonic processes, which may not have children. It ends them by itself, and our
    # child watches its parent, so that nothing is left behind without that rule, either.
    multiprocessing.current_process().daemon = False
    context = multiprocessing.get_context("spawn")  # a worker has threads: forking it is not safe
    return ProcessPoolExecutor(1, mp_context=context, initializer=_begin)


def _begin() -> None:
    workers.leave_interrupts_to_the_command()
    quiet_tensorflow()
    worker = multiprocessing.parent_process()

    def end_with_the_worker() -> None:
        wait([worker.sentinel] if worker else [])
        abandon()
        os._exit(1)

    threading.Thread(target=end_with_the_worker, daemon=True).start()


_kept = contextlib.ExitStack()  # the grading process's warm process; it ends with the process


def _look_around(order: Order) -> Readiness:
    """In the grading process: compare, and if nothing differs, import and start the warm process."""
    host = socket.gethostname()
    problems = differences(order.wanted, versions())
    if problems:
        return Readiness(host, problems)
    try:
        course = courses.load(Path(order.root))
        problems = differences(order.wanted, {**versions(), **shared(course, order.assignment)})
        if not problems:
            _kept.enter_context(workers.warm(course.settings.preload, course.settings.environment))
    except OurFault as error:
        problems = [str(error)]
    return Readiness(host, problems)
