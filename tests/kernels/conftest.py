"""One warm process for all tests of kernels, and a short way to run code in a kernel of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proctor.kernels.manager import WarmKernelManager, start_kernel_for
from proctor.kernels.warm_process import WarmProcess, start_warm_process
from proctor.sandbox.policy import Policy

PRELOAD = ["tensorflow", "matplotlib.pyplot"]


class Kernel:
    """A running kernel; `run` gives back what a cell printed, showed and raised."""

    def __init__(self, manager: WarmKernelManager) -> None:
        self.manager = manager
        self.client = manager.client()
        self.client.start_channels(hb=False)

    @property
    def pid(self) -> int:
        """Its process."""
        return self.manager.provisioner.pid

    def messages(self, code: str) -> list[dict[str, Any]]:
        """Every iopub message of one cell."""
        seen: list[dict[str, Any]] = []
        self.client.execute_interactive(code, timeout=60, output_hook=seen.append)
        return seen

    def run(self, code: str) -> str:
        """Text a cell printed, then the name of what it raised."""
        parts = []
        for message in self.messages(code):
            content = message["content"]
            parts.append(content.get("text") or content.get("ename") or "")
        return "".join(parts).strip()

    def end(self) -> None:
        """Kill it and clean up."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="session")
def warm_process() -> Iterator[WarmProcess]:
    """The process all kernels of these tests are forked from."""
    process = start_warm_process(PRELOAD).wait_ready()
    yield process
    process.close()


@pytest.fixture
def start(
    warm_process: WarmProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Kernel]]:
    """Start a kernel in a scratch folder of its own; limits by name."""
    monkeypatch.setenv(*next(iter(warm_process.environment.items())))
    kernels: list[Kernel] = []

    def start_one(**limits: Any) -> Kernel:
        scratch = tmp_path / f"scratch{len(kernels)}"
        scratch.mkdir(exist_ok=True)
        kernels.append(Kernel(start_kernel_for(Policy(str(scratch), **limits), PRELOAD)))
        return kernels[-1]

    yield start_one
    for kernel in kernels:
        kernel.end()


@pytest.fixture
def kernel(start: Callable[..., Kernel]) -> Kernel:
    """A kernel with the default limits."""
    return start()


def exists(pid: int) -> bool:
    """Whether there is such a process, zombies included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
