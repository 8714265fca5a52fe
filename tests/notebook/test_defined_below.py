"""A test that finds its function only further down says so, and where."""

from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from proctor.notebook.grade import _CodeCell, _told_where
from proctor.render import words
from proctor.results.fault import Fault
from proctor.results.verdict import Item

MISSING = Item("test_a", "Asked.", 1.0, "failed", fault=Fault("missing", "loss"))


def below(*sources):
    """Cells from the seventh on."""
    return [_CodeCell.of(new_code_cell(source), number, Path()) for number, source in enumerate(sources, 6)]


@pytest.mark.parametrize(
    "source", ["def loss(a, b):\n    return a", "if True:\n    def loss(a): pass", "loss = Loss()"]
)
def test_the_cell_that_defines_it_is_named(source):
    """The first one that does, counted from the top as a person counts."""
    item = _told_where(MISSING, below("print(1)", source, source))
    assert "defined only below this check, in cell 8 from the top" in words.message(item)


def test_what_is_nowhere_is_asked_for_as_before():
    """A use or a comment is no definition, and another fault is none of a missing name."""
    assert _told_where(MISSING, below("loss(1)", "# def loss(a): pass", "def loss(:", "lossy = Loss()")) == MISSING
    other = Item("test_a", "Asked.", 1.0, "failed", fault=Fault("raised", "NameError"))
    assert _told_where(other, below("def loss(a): pass")) == other
