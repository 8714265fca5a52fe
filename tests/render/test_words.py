"""What people read of a result."""

from proctor.render import words
from proctor.render.cell_outputs import as_html, as_text
from proctor.results.fault import Fault
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
