"""What people read of a result."""

from typing import get_args

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
    assert all("loss" in sentence for sentence in sentences)


def test_every_kind_of_fault_has_a_clause_of_its_own():
    """What a student reads of a failed test, whatever was the matter."""
    clauses = {words.fault(Fault(kind, "loss")) for kind in get_args(FaultKind)}
    assert len(clauses - {""}) == len(get_args(FaultKind))
