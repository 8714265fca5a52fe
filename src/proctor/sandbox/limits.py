"""How much a student's process may use: resource limits that Linux keeps, and a look from outside at the rest.

`proctor.sandbox.enforce` sets the limits in the forked child. `proctor.kernels.forked` asks `excess_of` a few times
a second, for what no limit of Linux counts everywhere.
"""

import os
import platform
import resource
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from proctor.sandbox.policy import MB, Policy

MAX_SOCKETS = 64  # files that a kernel may have in its run folder; five are needed
MAX_BESIDE_SOCKETS = 1 * MB  # of anything else in there, which Landlock forbids, where there is one
MAX_PAGE_TABLES = 128 * MB


@dataclass(frozen=True)
class Excess:
    """The limit that a process went past: so many threads, sockets or files, or megabytes of page tables or disk.

    ``uncountable``: what it has made cannot be counted.
    """

    kind: Literal["threads", "page tables", "sockets", "disk", "files", "uncountable"]
    limit: int = 0


def excess_of(policy: Policy, pid: int, *, hidden: bool) -> Excess | None:
    """What a process has too much of, so that it must be ended now: what Linux does not limit (everywhere).

    A `hidden` process has a scratch folder with limits of its own.
    """
    with suppress(OSError, StopIteration):
        if int(process_status("Threads", pid)) > policy.processes:
            return Excess("threads", policy.processes)
    with suppress(OSError, StopIteration):
        # Not in RLIMIT_DATA: what Linux needs to remember which pages of a huge, empty mapping were looked at.
        if int(process_status("VmPTE", pid).split()[0]) * 1024 > MAX_PAGE_TABLES:
            return Excess("page tables", MAX_PAGE_TABLES // MB)
    beside = _excess_of_files(policy.sockets, MAX_SOCKETS, MAX_BESIDE_SOCKETS, _fail) if policy.sockets else None
    if beside is not None:
        return beside if beside.kind == "disk" else Excess("sockets", MAX_SOCKETS)
    return None if hidden else _excess_of_files(policy.scratch, policy.files_total, policy.disk_total)


def _fail(error: OSError) -> None:
    raise error  # what cannot be counted is too much


def _excess_of_files(
    folder: str, most: int, largest: int, on_error: Callable[[OSError], None] | None = None
) -> Excess | None:
    size = count = 0
    for place, folders, files in os.walk(folder, onerror=on_error):
        for name in (*folders, *files):
            with suppress(OSError):
                size += os.lstat(f"{place}/{name}").st_blocks * 512
            count += 1
        if size > largest:
            return Excess("disk", largest // MB)
        if count > most:
            return Excess("files", most)
    return None


def counts_per_namespace() -> bool:
    """Whether RLIMIT_NPROC counts within a user namespace; before Linux 5.14 it counts all of the user's threads."""
    return tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2]) >= (5, 14)


def set_limits(policy: Policy, *, own_count: bool) -> None:
    """Set this process's resource limits for good.

    `own_count`: Linux counts this process's threads apart from the rest of its user's.
    """
    limits = {
        resource.RLIMIT_DATA: int(process_status("VmData").split()[0]) * 1024 + policy.memory,
        resource.RLIMIT_FSIZE: policy.file_size,
        resource.RLIMIT_NOFILE: policy.open_files,
        resource.RLIMIT_STACK: policy.stack,
        resource.RLIMIT_CPU: policy.cpu_seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 64 * 1024,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NICE: 0,
        resource.RLIMIT_RTPRIO: 0,
        resource.RLIMIT_SIGPENDING: 4096,
    }
    if own_count:
        limits[resource.RLIMIT_NPROC] = policy.processes
    for limit, value in limits.items():
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def process_status(name: str, pid: int | str = "self") -> str:
    """One line of ``/proc/PID/status``. Raises ``OSError`` or ``StopIteration`` if it is not there (any more)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))
