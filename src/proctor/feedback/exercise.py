"""One exercise on the feedback page: its score, its items, and what they have to say, each thing once.

Made by `proctor.feedback.page`, exercise by exercise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from proctor.render import words
from proctor.results.flag import Flag
from proctor.results.verdict import CellVerdict, Item


@dataclass
class Said:
    """`items` that stand together, and the one `message` that is about all of them; passed ones have none.

    `before` is the exercise in which the same has been said already.
    """

    items: list[Item]
    message: str = ""
    before: "Exercise | None" = None


@dataclass
class Exercise:
    """The graded cell `number`: `score` is the gradebook's, `verdict` what hidden tests of ours found, if it has any.

    `tested`: by tests, not by a person. `ungraded`: the gradebook still waits for a person. `unwritten` is the function
    that still is as it was released, if that is all there is to say; `waits_for` the exercise that asks for it, if that
    is another one.
    """

    title: str
    number: int
    score: float
    max_points: float
    verdict: CellVerdict | None = None
    tested: bool = False
    ungraded: bool = False
    comments: list[Markup] = field(default_factory=list)
    waits_for: "Exercise | None" = None
    said: list[Said] = field(default_factory=list)

    @property
    def changed_by_hand(self) -> bool:
        """True if a person gave another score than the tests."""
        return self.verdict is not None and abs(self.score - self.verdict.points) > 1e-9

    @property
    def passed(self) -> int:
        """How many of the items were passed."""
        return sum(item.outcome == "passed" for item in self.verdict.items) if self.verdict else 0

    @property
    def unwritten(self) -> str:
        """The function that is not written yet, where no item says anything else."""
        faults = {item.fault for item in self.verdict.items} if self.verdict else set()
        fault = faults.pop() if len(faults) == 1 else None
        return fault.function if fault is not None and fault.kind == "unwritten" else ""

    @property
    def flags(self) -> list[Flag]:
        """What happened to the cells on the way; what happened in a test stands with its item."""
        flags = self.verdict.flags if self.verdict else ()
        return [flag for flag in dict.fromkeys(flags) if not flag.in_hidden_test]

    @property
    def waits(self) -> bool:
        """True if a person still has to look."""
        undecided = self.verdict is not None and self.verdict.undecided and not self.changed_by_hand
        return undecided or self.ungraded


def say_once(exercises: Sequence[Exercise]) -> None:
    """Put the items of each exercise together by what they have to say, and refer to an earlier one for the rest."""
    first: dict[str, Exercise] = {}
    unwritten: dict[str, Exercise] = {}
    for exercise in exercises:
        if exercise.unwritten:
            asked_by = unwritten.setdefault(exercise.unwritten, exercise)
            exercise.waits_for = asked_by if asked_by is not exercise else None
        together: dict[str, Said] = {}
        for item in exercise.verdict.items if exercise.verdict else ():
            message = words.message(item) if item.outcome != "passed" else ""
            if message and message in together:
                together[message].items.append(item)
                continue
            before = first.setdefault(message, exercise) if message and item.outcome == "failed" else exercise
            exercise.said.append(Said([item], message, before if before is not exercise else None))
            if message:
                together[message] = exercise.said[-1]
