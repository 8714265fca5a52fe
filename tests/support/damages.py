"""What becomes of notebooks in other editors and other hands: each damage changes a handed-in notebook as JSON has it.

`DAMAGES` is the catalogue, by name. A damage takes the notebook and a random generator, which decides where it strikes;
with the generator of a test that strikes a named cell it is told by `at`.
"""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

from course_files import ROOT

RELEASE = ROOT / "release" / "custom_training_basics" / "custom_training_basics.ipynb"
FUNCTIONS = ("loss", "apply_gradients", "train")
GIVEN = (
    "imports",
    "checks",
    "model",
    "data",
    "plot",
    "loop",
    "evolve",
    "test_loss",
    "test_train",
    "task-loss",
    "title",
)
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
