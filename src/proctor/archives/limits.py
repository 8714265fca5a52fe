"""How much may be unpacked: what one file, one student, one archive and all of them together may take."""

from dataclasses import dataclass, field

from proctor.results.left_out import Why


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes."""

    file_size: int
    student_size: int
    student_files: int
    total_size: int
    entries: int


@dataclass
class Room:
    """What is left of the limits; spent before anything is written."""

    limits: Limits
    total: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    def take(self, owner: str, size: int) -> Why | None:
        """Take room for a file of `owner`; or say what it would go past, and take nothing."""
        sizes, files = self.sizes.get(owner, 0) + size, self.files.get(owner, 0) + 1
        if size > self.limits.file_size:
            return "file size"
        if sizes > self.limits.student_size:
            return "student size"
        if files > self.limits.student_files:
            return "student files"
        if self.total + size > self.limits.total_size:
            return "total size"
        self.sizes[owner], self.files[owner] = sizes, files
        self.total += size
        return None
