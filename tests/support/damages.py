"""What becomes of notebooks in other editors and other hands: each damage changes a handed-in notebook as JSON has it.

`DAMAGES` is the catalogue: what happened, by name. A right answer that was damaged so gets full points; one of `NAMED`
gets none before a person has looked, and what the run says of it stands beside it. A damage takes the notebook and a
random generator, which decides where it strikes; one that does not find its cell any more does nothing.
"""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from course_files import ROOT

RELEASE = ROOT / "release" / "custom_training_basics" / "custom_training_basics.ipynb"
FUNCTIONS = ("loss", "apply_gradients", "train")
GIVEN = ("imports", "model", "data", "loop", "test_loss", "test_train", "task-loss")
Notebook = dict[str, Any]
Damage = Callable[[Notebook, random.Random], None]
DAMAGES: dict[str, Damage] = {}


def released() -> Notebook:
    """A fresh copy of what students get."""
    nb: Notebook = json.loads(RELEASE.read_text(encoding="utf-8"))
    for cell in nb["cells"]:
        cell["source"] = "".join(cell["source"])
    return nb


def handed_in(code: dict[str, str]) -> Notebook:
    """The released notebook with these functions in the cells of their names."""
    nb = released()
    for cell in nb["cells"]:
        cell["source"] = code.get(grade_id(cell), cell["source"])
    return nb


def grade_id(cell: dict[str, Any]) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def find(nb: Notebook, name: str) -> dict[str, Any] | None:
    """The cell of this grade id, if it still has it."""
    return next((cell for cell in nb["cells"] if grade_id(cell) == name), None)


def code_cell(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "id": "new", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def damage(name: str) -> Callable[[Damage], Damage]:
    """Put a function into the catalogue."""

    def register(function: Damage) -> Damage:
        DAMAGES[name] = function
        return function

    return register


# --- what editors write ------------------------------------------------------------------------------------------


@damage("all metadata lost")
def no_metadata(nb: Notebook, rng: random.Random) -> None:
    for cell in nb["cells"]:
        cell["metadata"] = {}


@damage("ids made anew, as nbstripout does")
def nbstripout(nb: Notebook, rng: random.Random) -> None:
    for number, cell in enumerate(nb["cells"]):
        cell["id"] = str(number)
        cell["metadata"].pop("collapsed", None)


@damage("through Colab without nbgrader's metadata")
def colab(nb: Notebook, rng: random.Random) -> None:
    nb["nbformat_minor"] = 0
    nb["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nb["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    for number, cell in enumerate(nb["cells"]):
        cell.pop("id", None)
        cell["metadata"] = {"id": f"aB{number}_", "colab": {"base_uri": "https://localhost:8080/"}, "outputId": "x"}


@damage("through VS Code")
def vs_code(nb: Notebook, rng: random.Random) -> None:
    nb["nbformat_minor"] = 2
    for cell in nb["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {"vscode": {"languageId": "python"}}


@damage("through Kaggle")
def kaggle(nb: Notebook, rng: random.Random) -> None:
    nb["nbformat_minor"] = 4
    for cell in nb["cells"]:
        cell.pop("id", None)
        cell["metadata"] = {"_uuid": "8f2839f25d086af7", "_cell_guid": "b1076dfc", "trusted": True}


@damage("through Deepnote")
def deepnote(nb: Notebook, rng: random.Random) -> None:
    for number, cell in enumerate(nb["cells"]):
        cell["metadata"] = {"cell_id": f"{number:032x}", "deepnote_cell_type": cell["cell_type"], "source_hash": "1"}


@damage("a jupytext round trip")
def jupytext(nb: Notebook, rng: random.Random) -> None:
    nb["metadata"]["jupytext"] = {"formats": "ipynb,py:percent"}
    for number, cell in enumerate(nb["cells"]):
        cell["id"], cell["metadata"] = f"{number:08x}", {"lines_to_next_cell": 2}
        cell["source"] = cell["source"].strip("\n")


@damage("quotes and blanks as another formatter has them")
def reformatted(nb: Notebook, rng: random.Random) -> None:
    for cell in nb["cells"]:
        if cell["cell_type"] == "code" and grade_id(cell) in GIVEN:
            cell["source"] = cell["source"].replace("    ", "  ") + "\n\n"


@damage("Windows line ends")
def crlf(nb: Notebook, rng: random.Random) -> None:
    for cell in nb["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")


@damage("unknown and missing keys")
def keys(nb: Notebook, rng: random.Random) -> None:
    nb["orig_nbformat"] = 4
    nb.pop("nbformat_minor", None)
    for cell in nb["cells"]:
        cell["foo"] = {"bar": 1}
        cell.pop("outputs", None)
        cell.pop("execution_count", None)


@damage("half a surrogate in a text")
def surrogate(nb: Notebook, rng: random.Random) -> None:
    nb["cells"].append({**code_cell("# smile \ud83d"), "id": "smile"})


@damage("grade ids mixed up among given cells")
def mixed_up(nb: Notebook, rng: random.Random) -> None:
    cells = [cell for cell in nb["cells"] if "nbgrader" in cell["metadata"] and grade_id(cell) not in FUNCTIONS]
    claims = [cell["metadata"]["nbgrader"] for cell in cells]
    rng.shuffle(claims)
    for cell, claim in zip(cells, claims, strict=True):
        cell["metadata"]["nbgrader"] = claim


# --- what hands do, to one cell each -------------------------------------------------------------------------------


def _each(names: tuple[str, ...], label: str, change: Callable[[Notebook, dict[str, Any]], None]) -> None:
    """Put one damage for each of the cells `names` into the catalogue; it does nothing where the cell is not found."""

    def of(name: str) -> Damage:
        def strike(nb: Notebook, rng: random.Random) -> None:
            cell = find(nb, name)
            if cell is not None:
                change(nb, cell)

        return strike

    for name in names:
        DAMAGES[label.format(name)] = of(name)


def _lose(nb: Notebook, cell: dict[str, Any]) -> None:
    cell["metadata"] = {}


def _delete(nb: Notebook, cell: dict[str, Any]) -> None:
    nb["cells"].remove(cell)


def _to_the_end(nb: Notebook, cell: dict[str, Any]) -> None:
    nb["cells"].remove(cell)
    nb["cells"].append(cell)


def _to_the_top(nb: Notebook, cell: dict[str, Any]) -> None:
    nb["cells"].remove(cell)
    nb["cells"].insert(0, cell)


def _to_text(nb: Notebook, cell: dict[str, Any]) -> None:
    cell["cell_type"] = "markdown"
    cell["metadata"] = {}
    cell.pop("outputs", None)
    cell.pop("execution_count", None)


def _double(nb: Notebook, cell: dict[str, Any]) -> None:
    nb["cells"].insert(nb["cells"].index(cell) + 1, copy.deepcopy(cell))


def _with_test(nb: Notebook, cell: dict[str, Any]) -> None:
    test = find(nb, f"test_{grade_id(cell)}")
    if test is not None:
        test["source"] = f"{cell['source']}\n\n{test['source']}"
        nb["cells"].remove(cell)


def _with_next(nb: Notebook, cell: dict[str, Any]) -> None:
    at = nb["cells"].index(cell) + 1
    after = next((other for other in nb["cells"][at:] if other["cell_type"] == "code"), None)
    if after is not None and after["cell_type"] == "code":
        cell["source"] += "\n\n" + after["source"]
        nb["cells"].remove(after)


def _with_magics(nb: Notebook, cell: dict[str, Any]) -> None:
    cell["source"] = f"!pip install -q tensorflow\n%tensorflow_version 2.x\n{cell['source']}"


def _with_drive(nb: Notebook, cell: dict[str, Any]) -> None:
    drive = "from google.colab import drive\ndrive.mount('/content/drive')"
    cell["source"] = f"{drive}\n{cell['source']}"


def _beside_its_stub(nb: Notebook, cell: dict[str, Any]) -> None:
    name = grade_id(cell)
    nb["cells"].insert(nb["cells"].index(cell), {**code_cell(cell["source"]), "id": f"my-{name}"})
    cell["source"] = str((find(released(), name) or cell)["source"])


def _edit(nb: Notebook, cell: dict[str, Any]) -> None:
    cell["source"] += "\n# my own remark"


def _above(nb: Notebook, cell: dict[str, Any], source: str) -> None:
    nb["cells"].insert(nb["cells"].index(cell), {**code_cell(source), "id": f"above-{grade_id(cell)}"})


def _stub_of(cell: dict[str, Any]) -> str:
    return str((find(released(), grade_id(cell)) or cell)["source"])


def _draft_above(nb: Notebook, cell: dict[str, Any]) -> None:
    _above(nb, cell, _stub_of(cell).replace("raise NotImplementedError", "return  # raise NotImplementedError"))


def _with_time(nb: Notebook, cell: dict[str, Any]) -> None:
    if not cell["source"].startswith("%%"):
        cell["source"] = f"%%time\n{cell['source']}"


def _with_questions(nb: Notebook, cell: dict[str, Any]) -> None:
    if not cell["source"].startswith("%%"):
        cell["source"] = f"tf.square?\nfiles = !ls\nname = input('who are you? ')\nimport torch\n{cell['source']}"


def _in_prose(nb: Notebook, cell: dict[str, Any]) -> None:
    code = cell["source"]
    _to_text(nb, cell)
    cell["source"] = f"My answer:\n\n```python\n{code}\n```\n\nThat's it!"


def _with_its_stub_below(nb: Notebook, cell: dict[str, Any]) -> None:
    if not cell["source"].startswith("%%"):
        cell["source"] = f"{cell['source']}\n\n{_stub_of(cell)}"


def _in_a_block(nb: Notebook, cell: dict[str, Any]) -> None:
    if not cell["source"].startswith("%%"):
        cell["source"] = "if True:\n" + "".join(f"    {line}\n" for line in cell["source"].split("\n"))


def _indented(nb: Notebook, cell: dict[str, Any]) -> None:
    cell["source"] = "".join(f"    {line}\n" for line in cell["source"].split("\n"))


_each(FUNCTIONS, "{} below a draft of it", _draft_above)
_each(FUNCTIONS, "{} below %%time", _with_time)
_each(FUNCTIONS, "{} below questions, input and a missing module", _with_questions)
_each(FUNCTIONS, "{} in a text with prose", _in_prose)
_each(FUNCTIONS, "{} above its stub in one cell", _with_its_stub_below)
_each(FUNCTIONS, "{} in an if", _in_a_block)
_each(FUNCTIONS, "{} indented as a whole", _indented)
_each(FUNCTIONS, "{} lost its metadata", _lose)
_each(FUNCTIONS, "{} at the end", _to_the_end)
_each(FUNCTIONS, "{} at the top", _to_the_top)
_each(FUNCTIONS, "{} in a text cell", _to_text)
_each(FUNCTIONS, "{} twice", _double)
_each(FUNCTIONS, "{} merged with its test", _with_test)
_each(FUNCTIONS, "{} merged with the next cell", _with_next)
_each(FUNCTIONS, "{} below magics", _with_magics)
_each(FUNCTIONS, "{} below Colab's drive", _with_drive)
_each(FUNCTIONS, "{} above its stub", _beside_its_stub)
_each(GIVEN, "given cell {} deleted", _delete)
_each(GIVEN, "given cell {} at the end", _to_the_end)
_each(GIVEN, "given cell {} edited", _edit)
_each(GIVEN, "given cell {} twice", _double)
_each(GIVEN, "given cell {} lost its metadata", _lose)


# --- what hands do, to the whole -----------------------------------------------------------------------------------


def _functions(nb: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in (find(nb, name) for name in FUNCTIONS) if cell is not None]


def _all_in_one(nb: Notebook, at: int) -> None:
    cells = _functions(nb)
    source = "\n\n".join(cell["source"] for cell in cells)
    for cell in cells:
        nb["cells"].remove(cell)
    nb["cells"].insert(len(nb["cells"]) if at < 0 else at, {**code_cell(source), "id": "all"})


@damage("all functions in one cell at the top")
def all_at_top(nb: Notebook, rng: random.Random) -> None:
    _all_in_one(nb, 0)


@damage("all functions in one cell at the end")
def all_at_end(nb: Notebook, rng: random.Random) -> None:
    _all_in_one(nb, -1)


@damage("tasks swapped")
def swapped(nb: Notebook, rng: random.Random) -> None:
    first, last = find(nb, "loss"), find(nb, "train")
    if first is not None and last is not None:
        first["source"], last["source"] = last["source"], first["source"]


@damage("cells in another order")
def shuffled(nb: Notebook, rng: random.Random) -> None:
    rng.shuffle(nb["cells"])


@damage("all prose deleted")
def no_prose(nb: Notebook, rng: random.Random) -> None:
    nb["cells"] = [cell for cell in nb["cells"] if cell["cell_type"] == "code" or not grade_id(cell)]


@damage("only the functions are left")
def only_functions(nb: Notebook, rng: random.Random) -> None:
    nb["cells"] = _functions(nb) or nb["cells"]


@damage("all functions in one cell with an import and prints, at the end, all metadata lost")
def all_with_more(nb: Notebook, rng: random.Random) -> None:
    all_at_end(nb, rng)
    cell = nb["cells"][-1]
    cell["source"] = f"import tensorflow as tf\n{cell['source']}\n\nprint('done')\n"
    no_metadata(nb, rng)


@damage("all code in one cell")
def one_cell(nb: Notebook, rng: random.Random) -> None:
    source = "\n\n".join(cell["source"] for cell in nb["cells"] if cell["cell_type"] == "code")
    nb["cells"] = [cell for cell in nb["cells"] if cell["cell_type"] != "code"] + [code_cell(source)]


@damage("all cells in the opposite order, all metadata lost")
def backwards(nb: Notebook, rng: random.Random) -> None:
    nb["cells"].reverse()
    no_metadata(nb, rng)


@damage("pasted below the release")
def below_the_release(nb: Notebook, rng: random.Random) -> None:
    nb["cells"] = [*released()["cells"], *nb["cells"]]


@damage("pasted above the release, all metadata lost")
def above_the_release(nb: Notebook, rng: random.Random) -> None:
    nb["cells"] += released()["cells"]
    no_metadata(nb, rng)


@damage("all test cells deleted, all metadata lost")
def no_tests(nb: Notebook, rng: random.Random) -> None:
    nb["cells"] = [cell for cell in nb["cells"] if not grade_id(cell).startswith("test_")]
    no_metadata(nb, rng)


@damage("all cells under one grade id")
def one_grade_id(nb: Notebook, rng: random.Random) -> None:
    for cell in nb["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["grade_id"] = "loss"


@damage("of last year's release: other grade ids, other words, ids of nobody")
def last_years(nb: Notebook, rng: random.Random) -> None:
    for cell in nb["cells"]:
        cell.pop("id", None)
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["grade_id"] = f"cell-{grade_id(cell)}"
        if cell["cell_type"] == "markdown":
            cell["source"] = cell["source"].replace("the ", "a ") + " (2025)"


@damage("in nbformat 3")
def version_3(nb: Notebook, rng: random.Random) -> None:
    cells = nb.pop("cells")
    for cell in cells:
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            cell |= {"input": cell.pop("source"), "language": "python", "prompt_number": None}
    nb |= {"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]}


@damage("in nbformat 4.9")
def version_4_9(nb: Notebook, rng: random.Random) -> None:
    nb["nbformat_minor"] = 9


@damage("a function split over its lines")
def split(nb: Notebook, rng: random.Random) -> None:
    cell = find(nb, "train")
    lines = cell["source"].rstrip("\n").split("\n") if cell is not None else []
    indented = [number for number, line in enumerate(lines) if line.startswith((" ", "\t"))]
    if cell is not None and len(indented) == len(lines) - 1 > 1:
        cell["source"] = "\n".join(lines[:-1])
        nb["cells"].insert(nb["cells"].index(cell) + 1, {**code_cell(lines[-1]), "id": "rest"})


# --- what nobody can say anything of before a person has looked ------------------------------------------------------

NAMED: dict[str, tuple[Damage, str]] = {}


def _named(name: str, says: str) -> Callable[[Damage], Damage]:
    def register(function: Damage) -> Damage:
        NAMED[name] = function, says
        return function

    return register


@_named("loss commented out", "loss is there as a comment only")
def commented_out(nb: Notebook, rng: random.Random) -> None:
    for cell in filter(None, [find(nb, "loss")]):
        cell["source"] = "".join(f"# {line}\n" for line in cell["source"].splitlines())


@_named("loss in a text of three quotes", "loss is there as a comment only")
def in_quotes(nb: Notebook, rng: random.Random) -> None:
    for cell in filter(None, [find(nb, "loss")]):
        cell["source"] = f"'''\n{cell['source']}\n'''"


@_named("another homework", "this is not the notebook that was released")
def another(nb: Notebook, rng: random.Random) -> None:
    nb["cells"] = [code_cell("print('another homework')")]


@_named("nothing in it", "a notebook with nothing in it")
def nothing(nb: Notebook, rng: random.Random) -> None:
    nb["cells"] = []


@_named("thousands of cells", "holds more than 2,000 cells")
def too_many(nb: Notebook, rng: random.Random) -> None:
    nb["cells"] += [{**code_cell("def loss(predicted_y, target_y): return 0"), "id": f"x{n}"} for n in range(3000)]
