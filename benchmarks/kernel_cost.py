"""What one more warm kernel costs: CPU milliseconds to start, use and end it, and its share of memory.

    python benchmarks/kernel_cost.py [KERNELS]

CPU time is that of the kernels and of the process they are forked from, children included, not the grader's. Memory is
the proportional set size (PSS): pages shared with other kernels count in part, so it is what a further kernel adds.
"""

import os
import sys
import tempfile
from pathlib import Path

from proctor.kernels.manager import WarmKernelManager, start_kernel_for
from proctor.kernels.warm_process import start_warm_process
from proctor.sandbox.policy import Policy

PRELOAD = ["tensorflow", "matplotlib.pyplot"]
CELL = """
import tensorflow as tf, matplotlib.pyplot as plt
w = tf.Variable(1.0)
with tf.GradientTape() as tape:
    loss = tf.reduce_mean(tf.square(w * tf.random.normal([1000]) - 1.0))
w.assign_sub(0.1 * tape.gradient(loss, w))
plt.scatter([1, 2], [3, 4]); plt.show()
"""


def cpu_ms(pid: int) -> float:
    """User and system time of a process and of the children it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) * 1000 / os.sysconf("SC_CLK_TCK")


def pss_mb(pid: int) -> float:
    """Proportional set size."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def run(kernels: int, cell: str) -> tuple[list[WarmKernelManager], list[float]]:
    """Start kernels one after another, run a cell in each, and return them with their memory."""
    managers = []
    for _ in range(kernels):
        manager = start_kernel_for(Policy(tempfile.mkdtemp()), PRELOAD)
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=30)
        if cell:
            client.execute_interactive(cell, timeout=60, output_hook=lambda message: None)
        client.stop_channels()
        managers.append(manager)
    return managers, [pss_mb(manager.provisioner.pid) for manager in managers]


def main() -> None:
    """Print both numbers for a kernel that does nothing and for one that trains and draws."""
    kernels = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    warm = start_warm_process(PRELOAD).wait_ready()
    os.environ.update(warm.environment)
    for name, cell in (("idle", ""), ("one step and a plot", CELL)):
        before = cpu_ms(warm.pid)
        managers, memory = run(kernels, cell)
        for manager in managers:
            manager.shutdown_kernel(now=True)
        cost = (cpu_ms(warm.pid) - before) / kernels
        print(f"{name}: {cost:.0f} ms CPU a kernel; PSS of the last of {kernels}: {memory[-1]:.0f} MB")
    print(f"warm process: PSS {pss_mb(warm.pid):.0f} MB alone")
    warm.close()


if __name__ == "__main__":
    main()
