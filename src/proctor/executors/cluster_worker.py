"""A Dask worker's end of `proctor.executors.cluster`: one grading process a run, and whether the worker is fit for it.

Grading happens in a child process of the worker, as on one machine: nbgrader changes the working directory, the
worker's own threads must answer the scheduler in time, and whatever ends the child does not end the worker. The child
keeps one warm process that kernels are forked from. It ends with its run of ``proctor grade`` or with the worker,
however that ends, so that no job goes on where it was given up.
"""

import asyncio
import contextlib
import hashlib
import multiprocessing
import os
import platform
import socket
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib import metadata
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import proctor
from proctor.course import database
from proctor.course import folders as courses
from proctor.course.folders import Course
from proctor.course.memory import digest_of
from proctor.course.quiet import quiet_tensorflow
from proctor.errors import ClusterError, OurFault
from proctor.executors import pool as workers
from proctor.kernels.scratch import abandon
from proctor.sandbox import machine
from proctor.settings import CONFIG_FILE

TRIES = 2
PACKAGES = ("proctor", "tensorflow", "numpy", "nbgrader", "nbformat", "nbconvert", "ipykernel", "SQLAlchemy")
UNFIT = "is not there"
ENDING = "end proctor's grading processes"


@dataclass(frozen=True)
class Order:
    """Which run a job belongs to and what its worker has to have. It travels openly: no URL of a database is in it."""

    run: str
    root: str
    assignment: str
    wanted: Mapping[str, str]


@dataclass(frozen=True)
class Fitness:
    """What the command is told of a worker: with `problems` it must not grade."""

    host: str
    problems: Sequence[str] = ()


class Station:
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
                return self._fit_pool().submit(function, *arguments).result()
            except BrokenProcessPool:
                self._end_pool()
        raise OurFault("the worker process died twice while grading it")

    def fitness(self) -> Fitness:
        """Start the grading process if there is none, and have it look at what is there and import what it needs."""
        with self._lock:
            if self._stopped:
                return Fitness(socket.gethostname(), ["the run was stopped"])
            if self._pool is None:
                self._pool = _make_pool()
            started = self._pool.submit(_look_around, self.order)
        try:
            return started.result()
        except BrokenProcessPool:
            self._end_pool()
            return Fitness(socket.gethostname(), ["its grading process died at its start"])

    def stop(self) -> None:
        """End the grading process and its kernels, whatever they are doing."""
        self._stopped = True
        self._end_pool()

    def _fit_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            problems = self.fitness().problems
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


_stations: dict[str, Station] = {}
_stations_lock = threading.Lock()


def _station(order: Order) -> Station:
    with _stations_lock:
        return _stations.setdefault(order.run, Station(order))


def work(order: Order, function: Callable[..., Any], *arguments: Any) -> Any:
    """One job, as Dask calls it."""
    from distributed import get_worker

    _end_with(get_worker())
    return _station(order).call(function, *arguments)


async def prepare(order: Order, dask_worker: Any) -> Fitness:
    """Get ready for a run. Whoever grades this course alone has sent it, so earlier runs of the course are over."""
    _end_with(dask_worker)
    with _stations_lock:
        over = [run for run, station in _stations.items() if station.order.root == order.root and run != order.run]
    for run in over:
        await stop(run)
    return await asyncio.to_thread(_station(order).fitness)


async def stop(run: str) -> None:
    """End a run's grading process on this worker."""
    with _stations_lock:
        station = _stations.pop(run, None)
    if station is not None:
        await asyncio.to_thread(station.stop)


def _end_with(worker: Any) -> None:
    """End every grading process when Dask closes its worker, for example because the scheduler is lost.

    The worker's process would wait for the submission that is being graded.
    """
    from distributed import WorkerPlugin

    class End(WorkerPlugin):
        async def teardown(self, worker: Any) -> None:
            for run in list(_stations):
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


def _look_around(order: Order) -> Fitness:
    """In the grading process: compare, and if nothing differs, import and start the warm process."""
    host = socket.gethostname()
    problems = differences(order.wanted, versions())
    if problems:
        return Fitness(host, problems)
    try:
        course = courses.load(Path(order.root))
        problems = differences(order.wanted, {**versions(), **shared(course, order.assignment)})
        if not problems:
            _kept.enter_context(workers.warm(course.settings.preload))
    except OurFault as error:
        problems = [str(error)]
    return Fitness(host, problems)


def differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Say where `found` is not what is `wanted`; what was not looked at does not differ."""
    return [
        f"{name} {found[name]}, here {wanted[name]}" for name in wanted if name in found and found[name] != wanted[name]
    ]


def versions() -> dict[str, str]:
    """Versions of all that decides a grade, of this process."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = UNFIT
    return {**found, "proctor's code": digest_of([Path(proctor.__file__).parent])[:12]}


def shared(course: Course, assignment: str) -> dict[str, str]:
    """What a run's processes have in common, if they do: the folder itself, its content, and the gradebook.

    Raises `CourseError` if the folder cannot be written to or the gradebook cannot be used.
    """
    folders = [course.folder("source", ".", assignment), course.hidden_tests(assignment)]
    digest = digest_of(folders) + hashlib.sha256((course.root / CONFIG_FILE).read_bytes()).hexdigest()
    try:
        tempfile.TemporaryFile(dir=course.state).close()
        mark = mark_of(course).read_text(encoding="ascii")
    except OSError as error:
        mark = f"{UNFIT} ({error.strerror})"
    return {
        f"the folder {course.root}": mark,
        "the course's files": hashlib.sha256(digest.encode()).hexdigest()[:12],
        "the gradebook": database.identity(course.db_url(), assignment),
    }


def mark_of(course: Course) -> Path:
    """File that holds the name of the run: who reads the same in it sees the same folder."""
    return course.state / "run"
