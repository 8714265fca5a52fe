"""A small world of its own for a student's process: no network, and a file system that holds only what it may see.

`proctor.sandbox.world` calls this in the child right after the fork, while it has one thread. As root no user
namespace is needed; as an ordinary user the new user namespace maps only one's own user. Where Linux refuses (many
containers do), an ``OSError`` says at which step and Landlock with seccomp remain.
"""

import ctypes
import os
import stat
import struct
from collections.abc import Sequence
from pathlib import Path

NEW_MOUNTS, NEW_UTS, NEW_IPC, NEW_USER, NEW_NET = 0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 0x2, 0x4, 0x1000, 0x4000, 0x40000, 0x2
READ_ONLY, NO_SUID = 0x1, 0x2  # MOUNT_ATTR_*
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
SYS_MOUNT_SETATTR, SYS_PIVOT_ROOT = 442, {"x86_64": 155, "aarch64": 41}


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")


def unshare(flags: int) -> None:
    """Move this process into new namespaces. Raises ``OSError``."""
    _check(_libc().unshare(ctypes.c_int(flags)), "unshare")


def leave() -> bool:
    """Leave the machine's mounts, network and IPC; true if that took a user namespace. Raises ``OSError``."""
    apart = NEW_MOUNTS | NEW_UTS | NEW_IPC | NEW_NET
    uid, gid = os.geteuid(), os.getegid()
    try:
        unshare(apart)
    except PermissionError:
        unshare(apart | NEW_USER)
    else:
        return False
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        Path("/proc/self", name).write_text(text)
    return True


class NewRoot:
    """A file system in the making: an empty tmpfs at `place`, which everything allowed is mounted into.

    Paths stay what they are outside. `place` is an existing folder that nothing else needs; what was below it can only
    be reached through `keep`, which must be called before `open`.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._kept: dict[Path, int] = {}

    def keep(self, path: Path) -> None:
        """Remember `path`, which lies at or below `place`, from before it is covered."""
        self._kept[path] = os.open(path, os.O_PATH | os.O_CLOEXEC)

    def open(self) -> None:
        """Cover `place`; from now on nothing done here is seen outside."""
        _mount(None, "/", None, MS_REC | MS_PRIVATE)
        _mount("proctor", str(self._place), "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=4k,mode=0755")

    def show(self, path: Path) -> None:
        """Make `path` visible where it is; a path that does not exist is left out."""
        kept = self._kept.get(path)
        source = f"/proc/self/fd/{kept}" if kept is not None else str(path)
        try:
            is_folder = Path(source).stat().st_mode & stat.S_IFDIR
        except FileNotFoundError:
            return
        target = self.inside(path)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            if is_folder:
                target.mkdir()
            else:
                target.touch()
        # A kept path without what is mounted at it, for that is this very root.
        _mount(source, str(target), None, MS_BIND if kept is not None else MS_BIND | MS_REC)

    def link(self, path: Path, target: str) -> None:
        """Make a symbolic link."""
        place = self.inside(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def close_for_writing(self) -> None:
        """Everything mounted so far becomes read-only, and whatever is mounted below it; devices still take writes."""
        attributes = struct.pack("QQQQ", READ_ONLY | NO_SUID, 0, 0, 0)
        where = str(self._place).encode()
        result = _libc().syscall(SYS_MOUNT_SETATTR, AT_FDCWD, where, AT_RECURSIVE, attributes, len(attributes))
        _check(result, "mount_setattr")

    def prepare(self, path: Path) -> Path:
        """An empty folder for something that is mounted after `close_for_writing`."""
        target = self.inside(path)
        target.mkdir(parents=True, exist_ok=True)
        return target

    def scratch(self, path: Path, size: int, files: int, owner: tuple[int, int]) -> Path:
        """A writable folder in memory of at most `size` bytes and `files` files; must have been prepared."""
        target = self.inside(path)
        _mount("scratch", str(target), "tmpfs", MS_NOSUID | MS_NODEV, f"size={size},nr_inodes={files},mode=0700")
        os.chown(target, *owner)
        return target

    def enter(self, machine: str) -> None:
        """Make it the root of this process's world and forget the old one."""
        os.chdir(self._place)
        for descriptor in self._kept.values():
            os.close(descriptor)
        _check(_libc().syscall(SYS_PIVOT_ROOT[machine], b".", b"."), "pivot_root")
        _check(_libc().umount2(b".", MNT_DETACH), "umount")
        os.chdir("/")

    def inside(self, path: Path) -> Path:
        """Where `path` is while the new root is being made."""
        return self._place / path.relative_to("/")


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts: Sequence[bytes | None] = [text.encode() if text else None for text in (source, target, kind, options)]
    result = _libc().mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])
    _check(result, f"mount {target}")


def drop_bounding_set() -> None:
    """Give up, where allowed, every capability that this process could still gain."""
    bounding_drop = 24
    for capability in range(64):
        _libc().prctl(bounding_drop, capability, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up every capability this process has. Raises ``OSError``."""
    libc, ambient, clear_all = _libc(), 47, 4
    libc.prctl(ambient, clear_all, 0, 0, 0)
    version_3, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    _check(libc.capset(version_3, nothing), "capset")
