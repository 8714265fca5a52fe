"""Attempts to have the repair give what the code did not earn: each is done to a notebook whose `loss` is wrong."""

from damages import code_cell, find
from in_effect import RIGHT

WRONG = "def loss(predicted_y, target_y):\n    return 0.0\n"


def wrong_in_place_right_below_its_test(nb):
    """The test has found the wrong one; the right one came too late for it."""
    nb["cells"].append({**code_cell(RIGHT["loss"]), "id": "late"})


def right_above_the_wrong_one(nb):
    """The wrong one replaces it before the test."""
    nb["cells"].insert(0, {**code_cell(RIGHT["loss"]), "id": "early"})


def right_one_in_a_text_cell(nb):
    """There is code that defines it, so the text stays text."""
    nb["cells"].append({"cell_type": "markdown", "id": "text", "metadata": {}, "source": RIGHT["loss"]})


def right_one_in_a_comment(nb):
    """A comment is none of the code that runs."""
    find(nb, "loss")["source"] = "".join(f"# {line}\n" for line in RIGHT["loss"].splitlines()) + WRONG


def right_one_under_the_id_but_below(nb):
    """The grade id alone moves nothing up where another definition stood."""
    cell = find(nb, "loss")
    nb["cells"].insert(nb["cells"].index(cell), {**code_cell(WRONG), "id": "first"})
    cell["source"] = RIGHT["loss"]
    nb["cells"].remove(cell)
    nb["cells"].append(cell)


def right_one_never_defined(nb):
    """A function inside of a function that nobody calls."""
    find(nb, "loss")["source"] = WRONG + "def never():\n" + "".join(f"    {x}\n" for x in RIGHT["loss"].splitlines())


def right_one_in_a_block_that_never_runs(nb):
    """`if False` is no definition, wherever the cell stands."""
    block = "if False:\n" + "".join(f"    {line}\n" for line in RIGHT["loss"].splitlines())
    find(nb, "loss")["source"] = f"{WRONG}\n{block}"


def right_one_in_a_block_at_the_end(nb):
    """In a cell of its own, below the tests."""
    block = "if False:\n" + "".join(f"    {line}\n" for line in RIGHT["loss"].splitlines())
    nb["cells"].append({**code_cell(block), "id": "block"})


def right_one_written_to_a_file(nb):
    """A cell magic makes text of it."""
    cell = find(nb, "loss")
    nb["cells"].insert(nb["cells"].index(cell) + 1, {**code_cell("%%writefile x.py\n" + RIGHT["loss"]), "id": "file"})


def right_one_in_three_quotes(nb):
    """A text in the cell of the wrong one."""
    find(nb, "loss")["source"] = f"'''\n{RIGHT['loss']}'''\n{WRONG}"


def right_one_above_the_wrong_one_in_its_cell(nb):
    """The last definition of a cell counts."""
    find(nb, "loss")["source"] = f"{RIGHT['loss']}\n\n{WRONG}"


def right_rest_below_the_wrong_one(nb):
    """Lines that are indented below a function which returns before them."""
    cell = find(nb, "loss")
    rest = "    return tf.reduce_mean(tf.square(predicted_y - target_y))"
    nb["cells"].insert(nb["cells"].index(cell) + 1, {**code_cell(rest), "id": "rest"})


def right_one_under_the_id_of_the_test(nb):
    """A test cell of one's own: the released one is put back, and this one is below the wrong one and above nothing."""
    test = find(nb, "test_loss")
    nb["cells"].append({**code_cell(RIGHT["loss"]), "id": "own", "metadata": dict(test["metadata"])})


def names_given_to_a_wrong_one_below(nb):
    """An assignment below the test does not count where a definition stands above."""
    nb["cells"].append({**code_cell("loss = tf.keras.losses.MeanSquaredError()"), "id": "late"})


def helpers_of_the_checks_below(nb):
    """What the checks use is given; nothing of that name moves up."""
    nb["cells"].append({**code_cell("def _check_loss(*a, **k): return None\nclass Model: pass"), "id": "helpers"})


ATTEMPTS = (
    wrong_in_place_right_below_its_test, right_above_the_wrong_one, right_one_in_a_text_cell, right_one_in_a_comment,
    right_one_under_the_id_but_below, right_one_never_defined,
    right_one_in_a_block_that_never_runs, right_one_in_a_block_at_the_end, right_one_written_to_a_file, right_one_in_three_quotes, right_one_above_the_wrong_one_in_its_cell, right_rest_below_the_wrong_one, right_one_under_the_id_of_the_test, names_given_to_a_wrong_one_below, helpers_of_the_checks_below,
)  # fmt: skip
