"""What a student's process may touch and use, in one place; the defaults of everything that limits it.

`proctor.autograde.execute` makes a `Policy` for each submission, `proctor.kernels` carries it to the forked kernel, and
`proctor.sandbox.enforce` puts it in place there.
"""

import os
import site
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proctor.settings import Settings

MB = 1 << 20
LAYERS = ("namespaces", "limits", "user", "landlock", "seccomp")
DEFAULTS = Settings()  # for whoever tries a sandbox outside of a course
DEVICES = ("/dev/null",)  # also writable. Not /dev/zero: mapping it is a way around the memory limit
SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib"),
    *("/usr/share/zoneinfo", "/usr/share/fonts", "/usr/share/locale", "/usr/share/i18n"),
    *("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/sys/vm/overcommit_memory"),
    *("/sys/devices/system/cpu", "/dev/urandom", "/dev/random"),
)


def _readable() -> tuple[str, ...]:
    """The interpreter, its packages and the system's libraries; only folders that hold nothing else."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    paths = [*(sysconfig.get_path(name) for name in names), *site.getsitepackages(), f"{sys.base_prefix}/lib"]
    if site.ENABLE_USER_SITE:
        paths.append(site.getusersitepackages())
    paths.append(f"{sys.prefix}/pyvenv.cfg")
    return (*dict.fromkeys(str(Path(path).resolve()) for path in paths), *SYSTEM)


@dataclass(frozen=True)
class Policy:
    """What one student's process may touch and use. Sizes in bytes, times in seconds.

    `scratch` is where the notebook runs: readable and writable (a copy of it, where the machine allows). `sockets` is
    where the kernel makes its Jupyter sockets, and nothing else; `proctor.kernels.provisioner` fills it in. With
    `allow_missing` the kernel starts even if a layer cannot be put in place; with `enforced` false nothing is (for
    ``--allow-unsandboxed`` on a machine that can do none of this).
    """

    scratch: str
    sockets: str = ""
    readable: tuple[str, ...] = field(default_factory=_readable)
    memory: int = DEFAULTS.memory * MB  # on top of what a kernel has when it starts
    # Threads, in fact: there are no new processes. TensorFlow, XLA and `tf.data` each start one for each processor.
    processes: int = 128 + 4 * (os.cpu_count() or 1)
    open_files: int = 512
    file_size: int = 128 * MB
    disk_total: int = DEFAULTS.disk * MB
    files_total: int = 4096
    cpu_seconds: int = 600
    stack: int = 8 * MB
    environment: Mapping[str, str] = field(default_factory=dict)  # more variables than `environment_of` gives
    allow_missing: bool = False
    enforced: bool = True
    layers: tuple[str, ...] = LAYERS


def environment_of(policy: Policy) -> dict[str, str]:
    """Every environment variable of a student's process: these, and nothing from the grader's."""
    home = policy.scratch
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "TMPDIR": f"{home}/.tmp",
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OPENBLAS_NUM_THREADS": "1",
        **policy.environment,
    }
