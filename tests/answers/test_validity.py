"""The numbers of docs/validity.md: how they are counted, and how they come into the page."""

import re

import catalogue
import pytest
import results
import validity

RIGHT = catalogue.Answer("right", "", True, {"loss": ""})
WRONG = catalogue.Answer("wrong", "", False, {"loss": ""}, ("loss",), {**catalogue.FULL, "test_loss": 2.0})
FULL = results.Result(catalogue.FULL, {})
HALF = results.Result({**catalogue.FULL, "test_loss": 2.0}, {})
PAGE = """# Page
There are 1 right answers and 2 wrong ones.

| test cell | right for it | accepted | wrong for it | rejected |
|:--|--:|--:|--:|--:|
| `old` | 0 | 0 | 0 | 0 |

The end.
"""


def row(graded, cell="test_loss"):
    """The counts of one test cell."""
    (found,) = (row for row in validity.rows([RIGHT, WRONG], graded) if row.cell == cell)
    return found.right, found.accepted, found.wrong, found.rejected


def test_answers_are_counted_where_they_belong():
    """A wrong answer is right for the exercises that are not at fault."""
    graded = {"right": FULL, "wrong": HALF}
    assert row(graded) == (1, 1, 1, 1)
    assert row(graded, "test_train") == (2, 2, 0, 0)
    assert validity.elsewhere([RIGHT, WRONG], graded) == {}


def test_a_misjudged_answer_shows():
    """A right one that loses, a wrong one that does not, and points lost elsewhere."""
    assert row({"right": HALF, "wrong": FULL}) == (1, 0, 1, 0)
    elsewhere = results.Result({**catalogue.FULL, "test_train": 0.0}, {})
    assert validity.elsewhere([RIGHT, WRONG], {"right": FULL, "wrong": elsewhere}) == {"wrong": {"test_train"}}


def test_the_page_is_rewritten_where_the_numbers_are():
    """Tables go to the place of those with the same head; the rest of the page stays."""
    table = validity.table([RIGHT, WRONG], {"right": FULL, "wrong": HALF})
    page = validity.rewritten(PAGE, table, right=151, wrong=232)
    assert page.startswith("# Page\nThere are 151 right answers and 232 wrong ones.\n\n| test cell |")
    assert page.endswith("| `test_training_run` | 1 | 1 | 0 | 0 |\n\nThe end.\n")
    assert "old" not in page
    assert validity.rewritten(page, table, right=151, wrong=232) == page


COSTS = re.findall(
    r"^\| [^|]+ \| (`[^|]+`) \| `(\w+)` \| ([\d.]+) of (\d) \|", validity.PAGE.read_text("utf-8"), re.MULTILINE
)


def test_there_is_a_table_of_what_mistakes_cost():
    """It is found where it is."""
    assert len(COSTS) > 10


@pytest.mark.parametrize(("entries", "cell", "points", "full"), COSTS)
def test_a_mistake_costs_what_the_page_says(entries, cell, points, full):
    """Each line names entries of the catalogue, whose points are what the hidden tests give."""
    answers = {answer.name: answer for answer in catalogue.load()}
    for name in re.findall("`([^`]+)`", entries):
        assert answers[name].points[cell] == float(points)
        assert catalogue.FULL[cell] == float(full)
