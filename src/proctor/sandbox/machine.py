"""What this machine does for student code. The one module that decides by the system's name: a port starts here.

`proctor.kernels` and `proctor.executors.pool` ask whether to fork. ``proctor doctor`` prints `protections`; grading
refuses when something is `lacking`, on a cluster each worker's machine is asked what is `missing`. What a system has in
principle may be refused on one machine (in a container, for example), so every answer about protections comes from
trying it. Which processors the filter of system calls knows is in `proctor.sandbox.seccomp`.
"""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

from proctor.sandbox.policy import LAYERS
from proctor.sandbox.probes import ATTEMPTS, Protection
from proctor.settings import LACKING

SYSTEM = sys.platform
PROGRAM = "import sys; sys.path.append(sys.argv[1]); from proctor.sandbox import probes; probes.main()"


def can_fork() -> bool:
    """Whether a process that has TensorFlow imported can be forked: macOS's libraries do not survive it."""
    return SYSTEM == "linux"


def can_sandbox() -> bool:
    """Whether there is anything to enforce a `Policy` with: Landlock, seccomp and namespaces are Linux's."""
    return SYSTEM == "linux"


@functools.cache
def protections(layers: tuple[str, ...] = LAYERS) -> tuple[Protection, ...]:
    """Every protection, tried once in this process's lifetime; `layers` as in `Policy`, for tests."""
    if not can_sandbox():
        return _none("needs Linux")
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parents[2]), *layers]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd="/")
    try:
        return tuple(Protection(*row) for row in json.loads(done.stdout))
    except ValueError:
        return _none(f"could not be tried: {done.stderr[-500:].strip() or done.returncode}")


def _none(why: str) -> tuple[Protection, ...]:
    return tuple(Protection(name, False, why, essential) for name, (_, essential) in ATTEMPTS.items())


def missing() -> tuple[Protection, ...]:
    """The essential protections that this machine cannot enforce; grading refuses unless it was told to go on."""
    return tuple(protection for protection in protections() if protection.essential and not protection.enforced)


def lacking() -> tuple[str, ...]:
    """The names of what is `missing`; worker processes inherit the answer in their environment."""
    if not was_tried():
        os.environ[LACKING] = "\n".join(protection.name for protection in missing())
    return tuple(os.environ[LACKING].splitlines())


def was_tried() -> bool:
    """Whether somebody had to find out what is `lacking`, because a sandbox could not be closed."""
    return LACKING in os.environ
