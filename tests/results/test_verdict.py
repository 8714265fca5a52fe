"""How a graded cell shows what was found."""

import pytest
from nbformat.v4 import new_code_cell
from nbgrader.utils import determine_grade

from proctor.render import cell_outputs
from proctor.results import in_notebook
from proctor.results.fault import Fault
from proctor.results.flag import Flag
from proctor.results.verdict import CellVerdict, Item

ITEMS = (
    Item("a", "Is <b>it</b> right?", 2, "passed"),
    Item("b", "Twice?", 1.5, "failed", hint="look <script>there</script>"),
    Item("c", "Sure?", 0.5, "undecided"),
)
VERDICT = CellVerdict(
    "test_it", 4, ITEMS, (Flag("too slow", "loss", seconds=3.0), Flag("no answer", fault=Fault("died", "flood")))
)


def graded_cell(found):
    """A cell as `proctor.autograde.execute` leaves it."""
    about = {"nbgrader": {"grade": True, "solution": False, "grade_id": "test_it", "points": 4}}
    return new_code_cell("", metadata=about, outputs=cell_outputs.as_outputs(found))


def test_nbgrader_reads_the_points():
    """Stock nbgrader takes our verdict for the score it is."""
    assert determine_grade(graded_cell(VERDICT)) == (2, 4)


@pytest.mark.parametrize("points", [0.0, 4.0])
def test_nbgrader_reads_none_and_all(points):
    """Neither zero nor full marks are a special case."""
    item = Item("a", "?", 4, "passed" if points else "failed")
    assert determine_grade(graded_cell(CellVerdict("t", 4, (item,)))) == (points, 4)


def test_only_passed_items_earn():
    """Undecided is not points."""
    assert VERDICT.points == 2
    assert VERDICT.undecided


def test_it_can_be_read_again():
    """The report reads the very verdict that was written."""
    assert in_notebook.verdict_of(graded_cell(VERDICT)) == VERDICT
    assert in_notebook.verdict_of(new_code_cell("")) is None


def test_html_is_escaped():
    """Texts are texts, whatever is in them."""
    page = cell_outputs.as_html(VERDICT)
    assert "<script>" not in page
    assert "<b>" not in page
    assert "2 of 4 points" in page


def test_text_shows_every_item():
    """The table for terminals has what was asked, the points and the hints."""
    text = cell_outputs.as_text(VERDICT)
    for expected in ("2 of 4", "Twice?", "0/1.5", "look", "✓", "✗", "?"):
        assert expected in text
