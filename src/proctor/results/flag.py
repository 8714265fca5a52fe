"""What a person should know about a graded submission beside its points, as data.

Raised where it happens (a restored cell, a kernel that ended, a missing protection), kept in the graded notebook and in
what is remembered of it, and put into words by `proctor.render.words`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from proctor.results.fault import Fault

FlagKind = Literal[
    "not handed in",  # of several notebooks this one (`cell` is its name), which earns nothing
    "found elsewhere",  # the notebook `cell` was made of the file in `names`
    "left aside",  # notebooks beside it that were not graded
    "restored",  # a locked cell is as it was released again
    # what was done to grade the notebook that was meant; `names` has the cells
    "matched",  # had lost their grade ids
    "moved",  # to where they take effect
    "kept",  # given cells in which the student had written: that is now in a cell above
    "was text", "stub", "cut",  # a solution in a text cell; a stub left out; a magic in a cell of its own
    "joined",  # the parts of a function that was split
    "commented out",  # a solution that is there as a comment only
    "for review",  # a person has to confirm the points of these test cells
    "ended kernel", "too slow", "flood",  # a cell did harm, and was not run again
    "memory", "forbidden", "file missing",  # a limit or the sandbox was in the way of a cell or of a call
    "out of reach",  # a given cell needs programs or the network, so that no submission can run it: `names` has what
    "no answer",  # a call of a hidden test ended the kernel: `fault` says how
    "unsandboxed",  # student code ran without the protections in `names`
    "misfit",  # a hidden test could do nothing with an answer, which counts against the answer: `names` says which
    "contradiction",  # the visible checks of the cell fail, while it passes all hidden tests
    "late unknown",  # the platform says that it was late, and nobody how late: nothing is taken off
    "undecided",  # a person has to look at an item of the cell
]  # fmt: skip


@dataclass(frozen=True)
class Flag:
    """One thing to know: its kind, the cell (its grade id, or its number from 1), and the details of some kinds.

    `crowded`: it was a limit on time, and other processes may have kept the notebook from that time.
    """

    kind: FlagKind
    cell: str = ""
    in_hidden_test: bool = False
    fault: Fault | None = None
    names: tuple[str, ...] = ()
    seconds: float = 0.0
    crowded: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(FlagKind):
            raise ValueError(f"no such kind of flag: {self.kind!r}")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Flag":
        """Read what ``dataclasses.asdict`` made. Raises ``TypeError`` or ``ValueError`` on anything else."""
        fields = {**data, "fault": Fault.from_json(data.get("fault")), "names": tuple(data.get("names", ()))}
        return cls(**fields)
