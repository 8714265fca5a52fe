"""Run a Python program as an ordinary user, or as root without powers: ``as_user.py HOW PROGRAM ARGUMENT...``.

A helper of the tests. HOW is a comma-separated list of:

- ``user``: uid 65534. An interpreter below a home folder that others may not enter is made reachable in a mount
  namespace of this process; nothing changes outside.
- ``no-namespaces``: ``unshare`` and ``mount`` are refused with EPERM, as in a container.
"""

import contextlib
import errno
import os
import sys
from pathlib import Path

from proctor.sandbox import namespaces, seccomp

NOBODY = 65534


def reachable(path: Path) -> None:
    """Cover every folder above `path` that others may not enter with one that shows only what leads to `path`."""
    closed = next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)
    if closed is None:
        return
    namespaces.unshare(namespaces.NEW_MOUNTS)
    kept = os.open(path, os.O_PATH)
    namespaces._mount(None, "/", None, namespaces.MS_REC | namespaces.MS_PRIVATE)
    namespaces._mount("reachable", str(closed), "tmpfs", 0, "mode=0755")
    path.mkdir(parents=True)
    namespaces._mount(f"/proc/self/fd/{kept}", str(path), None, namespaces.MS_BIND | namespaces.MS_REC)


def refuse_namespaces() -> None:
    """A filter of our own that does what a container's does."""
    refused = {"x86_64": (272, 165, 308), "aarch64": (97, 40, 268)}[os.uname().machine]  # unshare, mount, setns
    code = [seccomp._op(seccomp.LOAD, seccomp.NR)]
    for number in refused:
        code += [seccomp._op(seccomp.EQUAL, number, 0, 1), seccomp._op(seccomp.RETURN, 0x00050000 | errno.EPERM)]
    seccomp.install_program(b"".join([*code, seccomp._op(seccomp.RETURN, seccomp.ALLOW)]))


def main() -> None:
    """Become, then run."""
    how, command = sys.argv[1].split(","), [sys.executable, *sys.argv[2:]]
    if "user" in how:
        reachable(Path(sys.base_prefix))
        with contextlib.suppress(PermissionError):
            os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        os.environ["HOME"] = "/nonexistent"
    if "no-namespaces" in how:
        refuse_namespaces()
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
