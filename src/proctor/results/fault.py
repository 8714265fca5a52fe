"""Why a hidden test got no answer from the student's process, as data.

Made from a `StudentFault` by `proctor.hidden_tests.explain`, which decides how much may be told; `proctor.render.words`
makes a sentence of it. None of its texts decides anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

FaultKind = Literal["raised", "unwritten", "missing", "too slow", "died", "nonsense", "misfit"]


@dataclass(frozen=True)
class Fault:
    """What happened in the student's process.

    `name` is the exception's type (raised), the name that is not defined (missing), what was the matter (died,
    nonsense), or the type of what the hidden test raised, which could do nothing with the answer (misfit). `limit` is
    the sandbox's limit that was passed (died). `quoted` is as much of an exception's text as is safe to show;
    `function` and `line` say where it was raised (unwritten: what is still as it was released; missing: `line` is the
    number of the later cell that defines it, if there is one); `seconds` is the limit that was passed (too slow).
    """

    kind: FaultKind
    name: str = ""
    quoted: str = ""
    function: str = ""
    line: int = 0
    seconds: float = 0.0
    limit: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"no such kind of fault: {self.kind!r}")

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> "Fault | None":
        """Raise ``TypeError`` or ``ValueError`` on anything that is no fault."""
        return None if data is None else cls(**data)
