"""A class on a Dask cluster: the same jobs on workers of other machines, which share the course's folder.

`proctor.cli.grade` calls `connect`; `proctor.grading.class_run` sees a ``concurrent.futures.Executor``. Dask queues,
balances, and gives the jobs of a lost worker to others. Before anything is graded, every worker is asked what it has
(`proctor.executors.cluster_worker`): one that would grade otherwise than this machine is refused by name.
"""

import contextlib
import socket
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from proctor.course.folders import Course
from proctor.course.quiet import captured_logs
from proctor.errors import ClusterError, OurFault
from proctor.executors import cluster_worker, same_course
from proctor.executors.cluster_worker import Order, Readiness
from proctor.executors.same_course import differences
from proctor.grading.class_run import ClassRun

SECONDS_TO_CONNECT = 5
JOBS_PER_WORKER = 4  # under way or queued: nobody waits for us, and workers that join find something to do
FEWEST_JOBS = 32
LOGGERS = ("distributed", "distributed.client", "tornado.application")


@dataclass(frozen=True)
class Cluster:
    """A cluster whose workers are fit for one run."""

    client: Any
    order: Order
    hosts: tuple[str, ...]
    jobs: int

    def make_executor(self, jobs: int) -> Executor:
        """Make the executor of the run; Dask decides how many of the `jobs` are under way."""
        return ClusterExecutor(self.client, self.order)


@contextlib.contextmanager
def connect(address: str, run: ClassRun) -> Iterator[Cluster]:
    """Use the cluster of the scheduler at `address`. Raises `ClusterError` if there is none or a worker is unfit."""
    course = run.course
    mark, name = same_course.mark_of(course), uuid.uuid4().hex
    make = _dask()
    with captured_logs(*LOGGERS), contextlib.closing(_client(make, address)) as client:
        mark.write_text(name, encoding="ascii")
        try:
            wanted = {**same_course.versions(), **same_course.shared(course, run.assignment)}
            order = Order(name, str(course.root), run.assignment, wanted)
            found = _prepared(client, address, course, order)
            hosts = _protected(client, found, allow_missing=bool(run.settings.get("allow_unsandboxed")))
            yield Cluster(client, order, hosts, max(JOBS_PER_WORKER * len(found), FEWEST_JOBS))
        finally:
            mark.unlink(missing_ok=True)  # first: a job that comes late must not find itself welcome
            _leave(client, name)


def _dask() -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise ClusterError("--scheduler needs Dask: pip install -e '.[cluster]' in the course's folder") from None
    return Client


def _client(make: Any, address: str) -> Any:
    from distributed.comm.addressing import get_address_host_port

    try:
        get_address_host_port(address, strict=True)  # a client of what is no address cannot even be closed
        return make(address, timeout=SECONDS_TO_CONNECT, set_as_default=False, name="proctor")
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ClusterError(
            f"{address}: no Dask scheduler answers there ({reason}); `dask scheduler` starts one"
        ) from None


def _prepared(client: Any, address: str, course: Course, order: Order) -> dict[str, str]:
    """Have every worker get ready; return the host of each.

    Raises `ClusterError` that names those that cannot grade this course, and why.
    """
    try:
        client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
    except TimeoutError:
        raise ClusterError(f"{address}: the scheduler has no workers; start some with `dask worker`") from None
    there = client.scheduler_info(n_workers=-1)["workers"]
    refused = _unlike(client, there, order)
    alike = [worker for worker in there if worker not in refused]
    answers = client.run(cluster_worker.prepare, order, workers=alike, on_error="return")
    found = {worker: _readiness(answer) for worker, answer in answers.items()}
    refused |= {worker: "; ".join(fit.problems) for worker, fit in found.items() if fit.problems}
    elsewhere = {worker: fit.host for worker, fit in found.items() if fit.host != socket.gethostname()}
    if course.db_url().startswith("sqlite"):
        reason = "is on {}, and an SQLite gradebook is for one machine: use PostgreSQL (docs/scale.md)"
        refused |= {worker: reason.format(host) for worker, host in elsewhere.items() if worker not in refused}
    _refuse(refused)
    return {worker: fit.host for worker, fit in found.items()}


def _unlike(client: Any, there: Mapping[str, Any], order: Order) -> dict[str, str]:
    """What can be known of workers before one of our functions runs there; Dask's own handshake tells it."""
    refused = {}
    versions = client.get_versions()["workers"]
    for worker, known in there.items():
        python = ".".join(versions[worker]["host"]["python"].split(".")[:2]) if versions.get(worker) else "unknown"
        reasons = differences(order.wanted, {"Python": python})
        if known["nthreads"] != 1:
            reasons.append(f"{known['nthreads']} threads: start it with --nthreads 1, and --nworkers for more of them")
        if reasons:
            refused[worker] = "; ".join(reasons)
    return refused


def _readiness(answer: Any) -> Readiness:
    if isinstance(answer, Readiness):
        return answer
    return Readiness("?", [f"proctor cannot be used there: {type(answer).__name__}: {answer}"])


def _refuse(refused: Mapping[str, str]) -> None:
    if refused:
        lines = "\n".join(f"  {worker}: {why}" for worker, why in sorted(refused.items()))
        raise ClusterError(f"nothing was graded; of the cluster's workers these cannot grade this course:\n{lines}")


def _protected(client: Any, hosts: Mapping[str, str], *, allow_missing: bool) -> tuple[str, ...]:
    """Say what every host can enforce, a line for each. Raises `ClusterError` for one that lacks a protection.

    One worker of a host tries it for all. Whatever it finds, each kernel sees to its own sandbox.
    """
    one_each = {host: worker for worker, host in hosts.items()}
    lacking = client.run(cluster_worker.unprotected, workers=list(one_each.values()))
    lines, counts = [], Counter(hosts.values())
    refused: dict[str, str] = {}
    for host, worker in sorted(one_each.items()):
        missing = "; ".join(lacking[worker])
        if missing and not allow_missing:
            refused |= {other: f"{host} cannot enforce: {missing}" for other in hosts if hosts[other] == host}
        sandbox = f"NOT SANDBOXED, missing: {missing}" if missing else "the whole sandbox"
        lines.append(f"{counts[host]} worker{'s' if counts[host] > 1 else ''} on {host}: {sandbox}")
    _refuse(refused)
    return tuple(lines)


def _leave(client: Any, run: str) -> None:
    """End the run's grading processes; with a scheduler that is gone, `cluster_worker.prepare` does it next time."""
    if client.status == "running":
        with contextlib.suppress(Exception):
            client.run(cluster_worker.stop, run, on_error="ignore")


class ClusterExecutor(Executor):
    """Dask's executor, with our words for what can happen on a cluster."""

    def __init__(self, client: Any, order: Order) -> None:
        self._dask = client.get_executor(pure=False)
        self._order = order

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **named: Any) -> "Future[Any]":
        """Have a worker's grading process call ``fn(*arguments)``."""
        outer: Future[Any] = Future()
        inner = self._dask.submit(cluster_worker.work, self._order, fn, *arguments, **named)
        inner.add_done_callback(lambda done: _pass_on(done, outer))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take back what is not finished; `connect` ends what is under way."""
        self._dask.shutdown(wait=wait and not cancel_futures)


def _pass_on(done: "Future[Any]", outer: "Future[Any]") -> None:
    from distributed.scheduler import KilledWorker

    if done.cancelled():
        outer.set_exception(ClusterError("the connection to the scheduler was lost; run the same command again"))
        return
    error = done.exception()
    if isinstance(error, KilledWorker):
        outer.set_exception(OurFault("every worker that began to grade it was lost"))
    elif error is not None:
        outer.set_exception(error)
    else:
        outer.set_result(done.result())
