"""What can go wrong, as one tree. Two branches never meet: the student's answer is at fault, or we are.

ProctorError
├── StudentFault            a hidden test could not get an answer: the item *fails*
│   ├── StudentRaised       the student's code raised an exception
│   ├── NameMissing         the notebook does not define the name
│   ├── TooSlow             the call went past its time limit
│   ├── KernelDied          the student's process ended during the call
│   └── Nonsense            the reply was not what an honest process sends
└── OurFault                something of ours: the item stays *undecided*, or the command stops with this message
    ├── CourseError         a file or a setting of the course is wrong
    ├── AnotherNotebook     what was handed in is not a notebook of this assignment
    ├── HiddenTestsBroken   a hidden test file cannot be collected
    ├── KernelNotStarted    no kernel could be started for a student
    ├── NotSandboxed        this machine cannot enforce a protection
    ├── SubmissionTooLarge  a submission's own files are past the limits for them
    ├── ArchiveRefused      an archive of a learning platform cannot be read, or is past a limit
    ├── TookTooLong         a submission was stopped for its time, whatever it was that took it
    └── RunStopped          nothing can be graded for now: the run ends, and the next one goes on from there
        ├── ClusterError    the scheduler or a worker of a cluster cannot be used
        └── DatabaseGone    the gradebook's database went away and did not come back in time
"""

from collections.abc import Mapping
from typing import Literal

# What the exit status of a ``proctor`` command says.
GRADED, SOME_NOT, USAGE = 0, 1, 2


class ProctorError(Exception):
    """Base of everything that proctor raises on purpose."""


class StudentFault(ProctorError):
    """The student's process gave no usable answer; `proctor.hidden_tests.explain` says what may be told of it."""


class StudentRaised(StudentFault):
    """The student's code raised; all of it comes from the student's process and decides nothing.

    `remark` is what the scenario that ran there has noticed, for the assignment's hints.
    """

    def __init__(
        self, kind: str, text: str, function: str | None = None, line: int | None = None, remark: str = ""
    ) -> None:
        super().__init__(kind, text, function, line, remark)
        self.remark = remark
        self.kind = kind
        self.text = text
        self.function = function
        self.line = line


class NameMissing(StudentFault):
    """The notebook has no such name when the test needs it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class TooSlow(StudentFault):
    """The call did not come back in time; the process has been ended.

    `crowded`: other processes may have kept it from its time.
    """

    def __init__(self, seconds: float, crowded: bool = False) -> None:
        super().__init__(seconds, crowded)
        self.seconds = seconds
        self.crowded = crowded


class KernelDied(StudentFault):
    """The student's process ended during the call; `why` is the limit it went past (`limit`), if that is why."""

    def __init__(self, why: str = "", limit: int = 0) -> None:
        super().__init__(why, limit)
        self.why = why
        self.limit = limit


class Nonsense(StudentFault):
    """The reply could not be read: too large, malformed, or not a reply at all."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class OurFault(ProctorError):
    """Not the student's doing. The message says what happened and what to do next."""


class CourseError(OurFault):
    """A file or setting of the course is missing or wrong; names it."""


class AnotherNotebook(OurFault):
    """What was handed in has nothing of the released notebook: it is named, and gets no points and no zero."""


class HiddenTestsBroken(OurFault):
    """A hidden test file cannot be collected or is inconsistent with its cell; names it."""


NoKernel = Literal[
    "not sandboxed", "too large", "no fork", "failed", "ended",
    "too slow", "no answer", "no import", "gone", "no channel",
]  # fmt: skip
NO_KERNEL: Mapping[NoKernel, str] = {
    "not sandboxed": "the sandbox cannot be closed on this machine ({detail})",
    "too large": "the submission's own files do not fit into its limit of {files} files and {megabytes} MB",
    "no fork": "the process that kernels come from could not be forked ({detail})",
    "failed": "{detail}",
    "ended": "the kernel ended at its start ({detail})",
    "too slow": "it was not there after {seconds:g} s",
    "no answer": "it did not answer within {seconds:g} s ({detail})",
    "no import": "cannot preload {name!r}: {detail}",
    "gone": "the process that kernels come from is gone ({detail})",
    "no channel": "{name} is not a channel to the process that kernels come from ({detail})",
}


ArchiveProblem = Literal["unreadable archive", "too many entries", "too much in archive"]


class KernelNotStarted(OurFault):
    """No process could be started for a student's code. `kind` says why; the rest are the facts of some kinds."""

    def __init__(
        self, kind: NoKernel, detail: str = "", name: str = "", seconds: float = 0.0, files: int = 0, megabytes: int = 0
    ) -> None:
        super().__init__(kind, detail, name, seconds, files, megabytes)
        self.kind = kind
        self.facts = {"detail": detail, "name": name, "seconds": seconds, "files": files, "megabytes": megabytes}

    def __str__(self) -> str:
        return f"no kernel could be started: {NO_KERNEL[self.kind].format_map(self.facts)}"


class NotSandboxed(OurFault):
    """A protection cannot be enforced on this machine, and nobody said to go on without it."""


class SubmissionTooLarge(OurFault):
    """A submission's own files do not fit into what a notebook may write."""

    def __init__(self, files: int, megabytes: int) -> None:
        super().__init__(files, megabytes)
        self.files = files
        self.megabytes = megabytes


class ArchiveRefused(OurFault):
    """An archive cannot be unpacked; `why` is a word of `proctor.results.left_out`, and says the reason."""

    def __init__(self, why: ArchiveProblem, detail: str = "") -> None:
        super().__init__(why, detail)
        self.why: ArchiveProblem = why
        self.detail = detail


class TookTooLong(OurFault):
    """A submission was stopped by the last of all limits on its time."""


class RunStopped(OurFault):
    """What every submission needs is not there: no submission is to blame, and none gets an outcome."""


class ClusterError(RunStopped):
    """A scheduler cannot be reached, or its workers cannot grade this course; names them."""


class DatabaseGone(RunStopped):
    """The gradebook's database does not answer any more."""
