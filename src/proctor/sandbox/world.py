"""The file system, network and user that one student's process gets.

`proctor.sandbox.enforce` builds a `World` in the forked child, out of the parts in `proctor.sandbox.namespaces`.
"""

import errno
import os
import platform
from collections.abc import Iterable
from pathlib import Path

from proctor.errors import SubmissionTooLarge
from proctor.sandbox import namespaces
from proctor.sandbox.limits import process_status
from proctor.sandbox.policy import DEVICES, MB, SYSTEM, Policy
from proctor.sandbox.scratch import Owner, copy_files

FIRST_OWN_UID = 0x60000000  # above every uid that is handed out; unique by adding the process's id
FIRST_OWN_UID_IN_CONTAINER = 40000  # where only 65,536 of them exist


class World:
    """What one process gets; `build` it, or `settle_outside` where Linux refuses that."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.hidden = False  # whether everything but the allowed paths is out of sight
        self.mapped = False  # whether a user namespace was needed, in which there is only one's own user
        self.owner = current_user()

    def build(self) -> None:
        """Leave the machine's namespaces for a file system with nothing in it but what the policy allows."""
        policy = self.policy
        scratch, sockets = Path(policy.scratch), Path(policy.sockets or policy.scratch)
        os.umask(0o022)
        self.mapped = namespaces.leave()
        if not self.mapped:
            self.owner = _own_user([path for path in policy.readable if path not in SYSTEM])
        root = namespaces.NewRoot(sockets)
        root.keep(sockets)
        root.open()
        for path in (*policy.readable, *DEVICES):
            root.show(Path(path))
        root.show(Path(f"/proc/{os.getpid()}"))
        root.link(Path("/proc/self"), str(os.getpid()))
        root.prepare(scratch)
        root.prepare(sockets)
        root.close_for_writing()
        if policy.sockets:
            root.show(sockets)
            os.chown(root.inside(sockets), *self.owner)
        files = root.scratch(scratch, policy.disk_total, policy.files_total, self.owner)
        self._fill(scratch, files)
        root.enter(platform.machine())
        self.hidden = True

    def _fill(self, scratch: Path, files: Path) -> None:
        try:
            copy_files(scratch, files, self.owner)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise SubmissionTooLarge(self.policy.files_total, self.policy.disk_total // MB) from None

    def settle_outside(self) -> None:
        """Without a file system of its own: what is writable must belong to the user that the process becomes."""
        policy = self.policy
        python = [path for path in policy.readable if path not in SYSTEM]
        self.owner = current_user() if self.mapped else _own_user([policy.scratch, policy.sockets, *python], whole=True)
        if self.owner != current_user():
            for folder in filter(None, (policy.scratch, policy.sockets)):
                _hand_over(folder, self.owner)


def current_user() -> Owner:
    """The user and group that this process acts as."""
    return os.geteuid(), os.getegid()


def _own_user(paths: Iterable[str], *, whole: bool = False) -> Owner:
    """A user of this process's own, if root started it and that user could read `paths`; else the current one.

    `whole` looks at the folders above `paths` too; in a file system of our own those are ours.
    """
    wanted = FIRST_OWN_UID + os.getpid()
    capabilities = int(process_status("CapEff"), 16)
    may_change = all(capabilities >> number & 1 for number in (0, 1, 6, 7))  # CHOWN, DAC_OVERRIDE, SETGID, SETUID
    if os.geteuid() != 0 or not may_change or not all(_readable_by_all(Path(path), whole) for path in paths if path):
        return current_user()
    second = FIRST_OWN_UID_IN_CONTAINER + os.getpid() % 20000
    return next(((uid, uid) for uid in (wanted, second) if _is_mapped(uid)), current_user())


def _readable_by_all(path: Path, whole: bool) -> bool:
    try:
        above = all(parent.stat().st_mode & 0o001 for parent in path.parents) if whole else True
        return above and (whole or bool(path.stat().st_mode & 0o004))
    except FileNotFoundError:
        return True


def _is_mapped(uid: int) -> bool:
    rows = [[int(word) for word in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(first <= uid < first + count for first, _, count in rows)


def _hand_over(folder: str, owner: Owner) -> None:
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(Path(place, name), *owner, follow_symlinks=False)
