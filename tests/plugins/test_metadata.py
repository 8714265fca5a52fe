"""What nbgrader's check of metadata refuses is refused, whatever has been found valid before."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.nbgraderformat import MetadataValidator, ValidationError

from proctor.autograde import metadata
from proctor.autograde.metadata import CheckMetadata


def about(name, **changed):
    """Metadata of a locked test cell."""
    return {
        "nbgrader": {
            "schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False, "grade_id": name,
            "points": 1.0, **changed,
        }
    }  # fmt: skip


def check(*cells):
    nb = new_notebook(cells=cells)
    assert CheckMetadata().preprocess(nb, {}) == (nb, {})


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """As in a new process."""
    monkeypatch.setattr(metadata, "_valid", set())


def test_what_is_known_is_not_validated_again(monkeypatch):
    """Neither in the same notebook nor in another one; anything new is."""
    looked_at = []
    stock = MetadataValidator.validate_nb
    monkeypatch.setattr(
        MetadataValidator, "validate_nb", lambda own, nb: looked_at.append(len(nb.cells)) or stock(own, nb)
    )
    for _ in range(3):
        check(new_code_cell(metadata=about("a")), new_code_cell("own"))
    check(new_code_cell("other text", metadata=about("a")))
    assert looked_at == [2]
    check(new_code_cell(metadata=about("a")), new_code_cell(metadata=about("b")))
    assert looked_at == [2, 2]


@pytest.mark.parametrize(
    "cells",
    [
        [new_code_cell(metadata=about("a")), new_code_cell(metadata=about("a"))],
        [new_code_cell(metadata=about("a", points=-1))],
        [new_code_cell(metadata=about("a", grade="yes"))],
        [new_code_cell(metadata=about(""))],
        [new_markdown_cell(metadata=about("a"))],
    ],
    ids=["doubled id", "negative points", "no boolean", "no id", "another type"],
)
def test_what_is_wrong_is_refused(cells):
    """Each time, and after the same metadata in a cell that is right."""
    check(new_code_cell(metadata=about("a")))
    for _ in range(2):
        with pytest.raises(ValidationError):
            check(*cells)


def test_no_more_is_remembered_than_a_course_has(monkeypatch):
    """Made-up metadata do not fill the memory."""
    monkeypatch.setattr(metadata, "MOST", 3)
    for number in range(6):
        check(new_code_cell(metadata=about(f"a{number}")))
    assert len(metadata._valid) == 3
