"""Which text of each function is in effect at each test cell of a notebook, told from the text, without a kernel.

What a hidden test would find decides the points; so two notebooks with the same functions in effect earn the same.
"""

import ast
import json
from collections.abc import Iterator
from typing import Any

from damages import FUNCTIONS, RELEASE, handed_in

from proctor.repair import code
from proctor.repair.read import notebook_of
from proctor.repair.rebuild import meant
from proctor.repair.released import Meant, Released

ASKED = {"test_loss": ("loss",), "test_apply_gradients": ("apply_gradients",), "test_train": ("train",)}
ASKED["test_training_run"] = FUNCTIONS
RIGHT = {
    "loss": "def loss(predicted_y, target_y):\n    return tf.reduce_mean(tf.square(predicted_y - target_y))\n",
    "apply_gradients": "def apply_gradients(model, dw, db, learning_rate):\n    model.w.assign_sub(learning_rate * dw)\n"
    "    model.b.assign_sub(learning_rate * db)\n",
    "train": "def train(model, inputs, outputs, learning_rate):\n    with tf.GradientTape() as tape:\n"
    "        now = loss(model(inputs), outputs)\n    dw, db = tape.gradient(now, [model.w, model.b])\n"
    "    apply_gradients(model, dw, db, learning_rate)\n    return now\n",
}


def release() -> list[Released]:
    """The cells of the release, as the plug-in reads them from the gradebook."""
    about = [(cell, cell["metadata"].get("nbgrader")) for cell in notebook_of(RELEASE.read_bytes()).cells]
    return [
        Released(it["grade_id"], cell.cell_type, cell.source, it["solution"], it["locked"], it["grade"])
        for cell, it in about
        if it
    ]


RELEASED = release()


def repaired(content: bytes) -> Meant:
    """Read a file and repair it, as the pipeline does."""
    return meant(notebook_of(content).cells, RELEASED)


def repaired_json(nb: Any) -> Meant:
    """The same, of a notebook as JSON has it."""
    return repaired(json.dumps(nb).encode())


def in_effect(result: Meant, answer: dict[str, str] = RIGHT) -> dict[str, dict[str, str]]:
    """By test cell, what the functions that it asks for and everything else of `answer` would be (``""``: missing)."""
    own = {name for text in answer.values() for name, _ in _bindings(text)} - set(FUNCTIONS)
    now: dict[str, str] = {}
    found: dict[str, dict[str, str]] = {}
    for name, source in _restored(result):
        now.update(_bindings(source))
        if name in ASKED:
            found[name] = {wanted: now.get(wanted, "") for wanted in (*ASKED[name], *sorted(own))}
    return found


def lost(found: dict[str, dict[str, str]], wanted: dict[str, dict[str, str]]) -> list[str]:
    """Test cells at which something is not what it would be in the undamaged notebook."""
    return [
        test for test, names in wanted.items() if any(found[test][name] != text for name, text in names.items() if text)
    ]


def own_texts(answer: dict[str, str]) -> dict[str, set[str]]:
    """All that an answer ever binds to each function's name."""
    bound = [pair for text in answer.values() for pair in _bindings(text)]
    return {name: {text for other, text in bound if other == name} for name in FUNCTIONS}


def _bindings(source: str) -> Iterator[tuple[str, str]]:
    """Names that a cell binds when it is run, in order, and what to."""
    waiting = list(code.body(source) or ())[::-1]
    while waiting:
        node = waiting.pop()
        text = ast.dump(node)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name, text
            continue
        if isinstance(node, (ast.Assign, ast.Import, ast.ImportFrom)):
            yield from ((name, text) for name in sorted(code.bound(node)))
        inside = [getattr(node, part, []) for part in ("body", "handlers", "orelse", "finalbody")]
        waiting += [statement for block in inside for statement in block][::-1]


def _restored(result: Meant) -> list[tuple[str | None, str]]:
    """Grade id and code of the cells when each given cell is as it was released, as the plug-in does next."""
    given = {one.name: one for one in RELEASED if one.locked}
    names = list(result.ids)
    text = [
        (name, given[name].source if name in given else cell["source"] if cell["cell_type"] == "code" else "")
        for cell, name in zip(result.cells, names, strict=True)
    ]
    position = 0
    for one in RELEASED:
        if one.name not in names and one.locked:
            names.insert(position, one.name)
            text.insert(position, (one.name, one.source if one.cell_type == "code" else ""))
        position = names.index(one.name) + 1 if one.name in names else position
    prose = {one.name for one in RELEASED if one.cell_type != "code"}
    return [(name, "" if name in prose else source) for name, source in text]


WANTED = in_effect(repaired_json(handed_in(RIGHT)))
