"""A damaged notebook earns what the undamaged one does; and where it was changed, a flag says so."""

import json
import os
import random
from time import process_time

import catalogue
import pytest
from damages import DAMAGES, FUNCTIONS, NAMED, code_cell, handed_in
from in_effect import RELEASED, RIGHT, WANTED, in_effect, lost, own_texts, repaired, repaired_json

from proctor.repair.read import TooMuch
from proctor.repair.rebuild import meant
from proctor.repair.released import Released

RANDOM = int(os.environ.get("PROCTOR_DAMAGED", "60"))  # `make damaged` asks for a thousand
PUT_BACK = {one.name for one in RELEASED if one.locked}
ANSWERS = {right: [answer for answer in catalogue.load() if answer.right is right] for right in (True, False)}


def damaged(code, names, seed=0):
    """The answer with these damages done to it, one after the other; the form of the file is the last."""
    nb, rng = handed_in(code), random.Random(seed)
    for name in sorted(names, key=lambda name: name.startswith("in nbformat")):
        DAMAGES[name](nb, rng)
    return nb


def drawn(seed, right):
    """One of the catalogue's answers, one to five damages to it, and what came of it."""
    rng = random.Random(seed)
    names = rng.sample(sorted(DAMAGES), rng.randint(1, 5))
    code = {**RIGHT, **ANSWERS[right][seed % len(ANSWERS[right])].code}
    result = repaired_json(damaged(code, names, seed))
    wanted = in_effect(repaired_json(handed_in(code)), code)
    return code, names, result, in_effect(result, code), wanted


def test_the_catalogue_is_large_enough():
    """Eighty ways to spoil a notebook, and an undamaged one in which all functions take effect."""
    assert len(DAMAGES) >= 80
    assert all(all(names.values()) for names in WANTED.values())


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_answer_is_repaired(name):
    """At each test cell the same functions are in effect, and the notebook is not taken for another one."""
    result = repaired_json(damaged(RIGHT, [name]))
    assert lost(in_effect(result), WANTED) == []
    assert not result.is_another
    assert result.in_doubt == ()


@pytest.mark.parametrize("name", [name for name in DAMAGES if any(name.startswith(one) for one in FUNCTIONS)])
def test_nothing_is_thrown_away(name):
    """Whatever happened to the cell of a function, every line of it is in the repaired notebook."""
    result = repaired_json(damaged(RIGHT, [name]))
    text = "\n".join(cell["source"] for cell in result.cells)
    assert all(line.strip() in text for code in RIGHT.values() for line in code.splitlines())


@pytest.mark.parametrize("seed", range(RANDOM))
def test_a_right_answer_damaged_at_random(seed):
    """One to five damages: none loses without a flag. Of a given cell that is missing, it comes when it is put back."""
    _, names, result, found, wanted = drawn(seed, right=True)
    flagged = result.flags or result.in_doubt or result.is_another or PUT_BACK - set(result.ids)
    assert lost(found, wanted) == [] or flagged, names


@pytest.mark.parametrize("seed", range(RANDOM))
def test_a_wrong_answer_damaged_at_random(seed):
    """It gains nothing: where another of its definitions is in effect than was before, a person has to look."""
    code, names, result, found, wanted = drawn(seed, right=False)
    own = own_texts(code)
    for test, texts in wanted.items():
        for name in set(FUNCTIONS) & set(texts):
            assert found[test][name] == texts[name] or found[test][name] not in own[name] or test in result.in_doubt, (
                names
            )


def test_few_random_damages_cost_anything():
    """Of the sample, nearly all get full points, with or without a flag."""
    drawn_ones = (drawn(seed, right=True) for seed in range(40))
    assert sum(lost(found, wanted) != [] for *_, found, wanted in drawn_ones) <= 4


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_any_encoding_is_read(encoding):
    """Byte order marks and UTF-16, with or without their mark."""
    assert lost(in_effect(repaired(json.dumps(handed_in(RIGHT)).encode(encoding))), WANTED) == []


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


@pytest.mark.parametrize("name", [name for name, (_, says) in NAMED.items() if "comment" in says])
def test_what_is_only_a_comment_is_for_review(name):
    """Nobody may say that it is not there, and nobody gives points for it but a person."""
    nb = handed_in(RIGHT)
    NAMED[name][0](nb, random.Random(0))
    assert repaired_json(nb).in_doubt == ("test_loss",)


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


HOSTILE = {
    "cells": [("def loss(predicted_y, target_y): return 0", 1_900)],
    "one long cell": [("x = 1\n" * 30_000, 1)],
    "lines that go on": [("!" + "a\\\n" * 60_000, 1)],
    "a deep sum": [("def loss(a, b): return " + "+".join(f"x{number}" for number in range(3_000)), 1)],
    "a function in a thousand parts": [("def loss(a, b):", 1), ("    x = 1", 1_800)],
    "helpers of helpers": [(f"def f{number}(): return f{number + 1}()", 1) for number in range(1_500)],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_is_bounded(name):
    """Cells that ask for much of the repair: what it does is counted, as a busy machine's clock says little."""
    nb = handed_in(RIGHT)
    made = [source for source, times in HOSTILE[name] for _ in range(times)]
    nb["cells"] += [{**code_cell(source), "id": f"x{number}"} for number, source in enumerate(made)]
    before = process_time()
    repaired_json(nb)
    assert process_time() - before < 20


def test_too_much_is_refused_before_it_is_looked_at():
    """More cells, or more code, than anybody writes."""
    for source, times in (("x", 3_000), ("x = 1\n" * 20_000, 20)):
        nb = handed_in(RIGHT)
        nb["cells"] += [{**code_cell(source), "id": f"x{number}"} for number in range(times)]
        with pytest.raises(TooMuch, match="holds more than"):
            repaired_json(nb)
