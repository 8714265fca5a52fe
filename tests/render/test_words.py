"""What people read of a result."""

from typing import get_args

import pytest

from proctor.dates.lateness import Lateness, Rule
from proctor.feedback import sentences
from proctor.render import words
from proctor.render.cell_outputs import as_html, as_text
from proctor.results.fault import Fault, FaultKind
from proctor.results.flag import Flag, FlagKind
from proctor.results.verdict import CellVerdict, Item

MISSING = Fault("missing", "loss")
ITEMS = (
    Item("test_a", "Asked first.", 2.0, "failed", fault=MISSING),
    Item("test_b", "Asked then.", 1.0, "passed"),
    Item("test_c", "Asked last.", 1.0, "failed", fault=MISSING),
    Item("test_d", "Asked besides.", 1.0, "failed", hint="Look elsewhere."),
)


def test_one_error_is_said_once():
    """What several items of an exercise have to say is said by the first; what each of them asks, always."""
    first, *others = words.messages(ITEMS)
    assert "`loss` is not defined" in first
    assert others == ["", words.SAME, "Look elsewhere."]
    for table in (as_text(CellVerdict("test_loss", 5.0, ITEMS)), as_html(CellVerdict("test_loss", 5.0, ITEMS))):
        assert table.count("is not defined") == 1
        assert all(item.asked in table for item in ITEMS)
        assert table.count(words.SAME) == 1


def test_every_kind_of_flag_has_a_sentence_of_its_own():
    """And it names what the flag is about."""
    faults = {"no answer": Fault("missing", "loss")}
    flags = [Flag(kind, "test_loss", fault=faults.get(kind), names=("test_loss",)) for kind in get_args(FlagKind)]
    sentences = {words.flag(flag) for flag in flags}
    assert len(sentences) == len(flags)
    assert all("loss" in sentence for sentence in sentences - {words.flag(Flag("late unknown"))})


@pytest.mark.parametrize(
    ("late", "penalty", "expected"),
    [
        (Lateness(169_200, "2026-11-01 12:00:00", 0, Rule(10, 0, 100)), 4.0,
         "You handed this in 1 day 23 hours late: it was due on 1 November 2026, 12:00 UTC. For that, 4 points were taken off: "
         "10 % of what you earned for each day begun."),
        (Lateness(60, "2026-11-01 12:00:00", 86_400, Rule(25, 0, 60)), 1.0,
         "You handed this in 1 minute late: it was due on 1 November 2026, 12:00 UTC, with your extension of 1 day. For that, "
         "1 point was taken off: 25 % of what you earned for each day begun, at most 60 %."),
        (Lateness(600, "2026-11-01 12:00:00", 0, Rule(25, 15, 60)), 0.0,
         "You handed this in 10 minutes late: it was due on 1 November 2026, 12:00 UTC. That is within 15 minutes of grace: "
         "nothing was taken off."),
        (Lateness(7_200, "2026-11-01 12:00:00"), 2.5,
         "You handed this in 2 hours late: it was due on 1 November 2026, 12:00 UTC. For that, 2.5 points were taken off."),
        (Lateness(1_296_000, "2026-11-01 12:00:00"), 0.0,
         "You handed this in 15 days late: it was due on 1 November 2026, 12:00 UTC. Nothing was taken off for that."),
    ],
)  # fmt: skip
def test_how_late_and_by_which_rule(late, penalty, expected):
    """In a sentence for the student."""
    assert sentences.late(late, penalty) == expected


def test_every_kind_of_fault_has_a_clause_of_its_own():
    """What a student reads of a failed test, whatever was the matter."""
    clauses = {words.fault(Fault(kind, "loss")) for kind in get_args(FaultKind)}
    assert len(clauses - {""}) == len(get_args(FaultKind))
