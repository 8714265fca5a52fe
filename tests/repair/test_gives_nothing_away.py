"""Attempts to have the repair give what the code did not earn: each ends as it would have without a repair."""

import pytest
from attempts import ATTEMPTS, WRONG
from damages import code_cell, find, handed_in
from in_effect import RIGHT, WANTED, in_effect, repaired_json

RUN_TO_TELL = [attempt for attempt in ATTEMPTS if "block_that_never_runs" in attempt.__name__]  # in kernels


@pytest.mark.parametrize(
    "attempt", [one for one in ATTEMPTS if one not in RUN_TO_TELL], ids=lambda attempt: attempt.__name__
)
def test_a_right_function_that_never_ran_earns_nothing(attempt):
    """At `test_loss` the wrong function is in effect."""
    nb = handed_in({**RIGHT, "loss": WRONG})
    attempt(nb)
    assert in_effect(repaired_json(nb))["test_loss"] != WANTED["test_loss"]


def test_a_test_cell_of_ones_own_is_no_test_cell():
    """A second cell under a test's grade id, or under its cell id, with points of its own: the released one counts."""
    nb = handed_in({**RIGHT, "loss": WRONG})
    forged = {**code_cell("5.0"), "id": "forged", "metadata": find(nb, "test_loss")["metadata"]}
    nb["cells"].append(forged)
    result = repaired_json(nb)
    taken = [cell["source"] for cell, name in zip(result.cells, result.ids, strict=True) if name == "test_loss"]
    assert taken == [find(nb, "test_loss")["source"]]


@pytest.mark.parametrize("name", ["checks", "model", "data", "loop"])
def test_a_made_up_id_does_not_displace_given_code(name):
    """A cell that claims the id of a given one: the given cell, elsewhere and without its id, is matched by its text."""
    nb = handed_in(RIGHT)
    given = find(nb, name)
    claim = {**code_cell("Model = run_training = make_data = None"), "id": "mine", "metadata": given["metadata"]}
    nb["cells"].insert(0, claim)
    given["metadata"] = {}
    result = repaired_json(nb)
    taken = [cell["source"] for cell, one in zip(result.cells, result.ids, strict=True) if one == name]
    assert taken == [given["source"]]


def test_what_is_kept_of_a_given_cell_binds_no_given_name():
    """A student's `Model` in the cell of the model is not put above it, nor anything that would stand in for a helper."""
    nb = handed_in(RIGHT)
    find(nb, "model")["source"] += "\n\nclass Model: pass\n_run = print\nimport math as tf\nmine = 1\n"
    result = repaired_json(nb)
    (kept,) = (cell["source"] for cell in result.cells if cell["id"].endswith("-kept"))
    assert kept == "mine = 1"
