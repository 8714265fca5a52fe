"""A damaged notebook earns what the undamaged one does; and where it was changed, a flag says so."""

import json
import os
import random

import pytest
from damages import DAMAGES, FUNCTIONS, GIVEN, handed_in
from in_effect import RIGHT, WANTED, in_effect, repaired, repaired_json

from proctor.repair.rebuild import meant
from proctor.repair.released import Released

WRONG = {
    **RIGHT,
    "train": "def train(model, inputs, outputs, learning_rate):\n    return loss(model(inputs), outputs)\n",
}
RANDOM = int(os.environ.get("PROCTOR_DAMAGED", "150"))  # a thousand on request


def damaged(code, names, seed=0):
    """The answer with these damages done to it, one after the other."""
    nb, rng = handed_in(code), random.Random(seed)
    for name in names:
        DAMAGES[name](nb, rng)
    return nb


def test_the_catalogue_is_large_enough():
    """Eighty ways to spoil a notebook, and an undamaged one in which all functions take effect."""
    assert len(DAMAGES) >= 80
    assert all(all(found) for found in WANTED.values())


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_answer_is_repaired(name):
    """At each test cell the same functions are in effect, and the notebook is not taken for another one."""
    result = repaired_json(damaged(RIGHT, [name]))
    assert in_effect(result) == WANTED
    assert not result.is_another


@pytest.mark.parametrize("name", [name for name in DAMAGES if any(name.startswith(one) for one in FUNCTIONS)])
def test_nothing_is_thrown_away(name):
    """Whatever happened to the cell of a function, its text is in the repaired notebook."""
    result = repaired_json(damaged(RIGHT, [name]))
    text = "\n".join(cell["source"] for cell in result.cells)
    assert all(code.strip() in text for code in RIGHT.values())


@pytest.mark.parametrize("seed", range(RANDOM))
def test_damages_at_random(seed):
    """One to five damages: no right answer loses without a flag, and no wrong one gains what it had not.

    Of a given cell that is missing, the flag comes when it is put back.
    """
    rng = random.Random(seed)
    names = rng.sample(sorted(DAMAGES), rng.randint(1, 5))
    result = repaired_json(damaged(RIGHT, names, seed))
    lost = in_effect(result) != WANTED
    assert not lost or result.flags or result.is_another or set(GIVEN) - set(result.ids), names
    wrong = in_effect(repaired_json(damaged(WRONG, names, seed)))
    assert WANTED["test_train"][0] not in (*wrong["test_train"], *wrong["test_training_run"]), names


def test_few_random_damages_cost_anything():
    """Of the sample, nearly all get full points, with or without a flag."""
    lost = 0
    for seed in range(60):
        rng = random.Random(seed)
        names = rng.sample(sorted(DAMAGES), rng.randint(1, 5))
        lost += in_effect(repaired_json(damaged(RIGHT, names, seed))) != WANTED
    assert lost <= 6


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_any_encoding_is_read(encoding):
    """Byte order marks and UTF-16, with or without their mark."""
    assert in_effect(repaired(json.dumps(handed_in(RIGHT)).encode(encoding))) == WANTED


def test_the_same_file_gives_the_same_notebook():
    """Ids of new cells included: nothing is drawn at random."""
    content = json.dumps(damaged(RIGHT, ["loss merged with its test", "train below magics"])).encode()
    first, second = repaired(content), repaired(content)
    assert json.dumps(first.cells) == json.dumps(second.cells)
    assert len({cell["id"] for cell in first.cells}) == len(first.cells)


def test_an_undamaged_notebook_stays_as_it_is():
    """No flag, and not a character changed."""
    nb = handed_in(RIGHT)
    result = repaired_json(nb)
    assert [cell["source"] for cell in result.cells] == [cell["source"] for cell in nb["cells"]]
    assert result.flags == ()


def test_lost_metadata_is_told_in_one_flag():
    """Fifty cells without metadata are one flag with their names."""
    (flag,) = repaired_json(damaged(RIGHT, ["all metadata lost"])).flags
    assert flag.kind == "matched"
    assert len(flag.names) > 40


def test_what_is_only_a_comment_is_for_review():
    """Nobody may say that it is not there, and nobody gives points for it but a person."""
    commented = "".join(f"# {line}\n" for line in RIGHT["loss"].splitlines())
    result = repaired_json(handed_in({**RIGHT, "loss": commented}))
    assert result.in_doubt == ("test_loss",)


STUBS = [
    "raise NotImplementedError",
    "pass",
    "# YOUR CODE HERE\n    pass",
    "# fill_in\n    raise NotImplementedError()",
]


@pytest.mark.parametrize("stub", STUBS)
def test_an_untouched_stub_is_no_work_in_comments(stub):
    """Whatever a course releases for what is to be written: who has left it alone has nothing that a person could find."""
    source = f"def f(x):\n    {stub}"
    released = [Released("f", "code", source, solution=True, locked=False), Released("t", "code", "f(1)", tests=True)]
    cells = [{"cell_type": "code", "source": one.source, "metadata": {}, "id": one.name} for one in released]
    assert meant(cells, released).in_doubt == ()
    cells[0]["source"] = "# def f(x):\n#     return 2 * x"
    assert meant(cells, released).in_doubt == ("t",)


def test_the_instructors_own_notebook_stays_as_it_is():
    """Handed in to try it, with its hidden tests in the cell: they are no additions of a student's."""
    visible, hidden = "assert f(1)", "assert f(1)\n### BEGIN HIDDEN TESTS\nx = f(2)\n### END HIDDEN TESTS"
    cell = {"cell_type": "code", "source": hidden, "metadata": {"nbgrader": {"grade_id": "t"}}, "id": "t"}
    result = meant([cell], [Released("t", "code", visible, tests=True, whole=hidden)])
    assert (result.flags, len(result.cells)) == ((), 1)


def test_another_notebook_is_called_one():
    """Neither points nor a zero."""
    nb = handed_in(RIGHT)
    nb["cells"] = [{**nb["cells"][14], "source": "print('another homework')", "metadata": {}, "id": "x"}]
    assert repaired_json(nb).is_another
