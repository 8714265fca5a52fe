"""A cell of code taken apart or put together: parts that may fail, additions to a given cell, a split function.

Called by `rebuild`. What a cell is made into runs as the cell did, in the same order.
"""

import ast
import re
import sys
from collections.abc import Collection, Sequence

from proctor.repair import code
from proctor.repair.code import CELL_MAGIC, DEFINITIONS, IMPORTS, MAGIC, QUIET

MAX_PIECES = 50  # that a cell is cut into
MAX_JOINED = 10_000  # characters of a function whose parts are put together
COLAB = re.compile(
    r"\bgoogle\.colab\b|^\s*(?:\w+\s*=\s*)?(?:drive|files)\.(?:mount|flush_and_unmount|upload|download)\("
)
ASKS = {"input", "open", "exit", "quit"}


def without_stub(source: str, stub: str) -> str:
    """The cell without the released functions in it that it defines in another way, too."""
    released = code.bodies(stub)
    functions = [
        node for node in code.body(source) or () if isinstance(node, ast.FunctionDef) and node.name in released
    ]
    unwritten = [node for node in functions if code.body_of(node) == released[node.name]]
    written = {node.name for node in functions if node not in unwritten} | code.assigned(source)
    left_out = {line for node in unwritten if node.name in written for line in _lines_of(node)}
    return "\n".join(line for number, line in enumerate(source.split("\n"), 1) if number not in left_out)


def continues(source: str, above: str, wanted: Collection[str]) -> bool:
    """Whether a cell is the rest of a function that begins at the end of the cell above it, and is none without it."""
    begins = source.lstrip("\n")[:1] in (" ", "\t")
    if not begins or len(source) + len(above) > MAX_JOINED or "def " not in above:
        return False
    together = code.body(f"{above}\n{source}")
    last = together[-1] if together else None
    return isinstance(last, DEFINITIONS) and last.name in wanted and last.lineno <= above.count("\n") + 1


def additions(source: str, released: str, taken: set[str]) -> str:
    """Imports, assignments and definitions in a cell beyond those of a released one, but for the names `taken`.

    Asked of a given cell that a student has changed: it is put back as it was released, and these are the student's.
    """
    there = {code.same(node) for node in code.body(released) or ()}
    lines = code.python_of(source).split("\n") if len(source) <= code.MAX_SOURCE else []
    kept = [
        _text_of(node, lines)
        for node in code.body(source) or ()
        if isinstance(node, QUIET)
        and code.same(node) not in there
        and code.bound(node)
        and not code.bound(node) & (taken | {"*"})
    ]
    return "\n\n".join(kept)


def _text_of(node: ast.stmt, lines: Sequence[str]) -> str:
    """A statement's own text: another one may stand on its line."""
    own = [lines[number - 1] for number in _lines_of(node)]
    if not isinstance(node, DEFINITIONS):  # columns are counted in bytes
        own[-1] = own[-1].encode()[: node.end_col_offset].decode()
        own[0] = own[0].encode()[node.col_offset :].decode()
    return "\n".join(own)


def pieces(source: str, wanted: Collection[str], modules: Collection[str]) -> list[str]:
    """A cell, cut above its `wanted` functions where something stands that may fail: it must not end the rest.

    Magics, shell lines, Colab, imports of other modules than `modules`, and what is done and not defined.
    """
    statements = code.body(source)
    if not statements or CELL_MAGIC.match(source):
        return [source]
    end = max((_first(node) for node in statements if _defined_by(node) & set(wanted)), default=0)
    lines = source.split("\n")
    inside = {number: node for node in statements for number in _lines_of(node)}
    starts = {_first(node) for node in statements}
    cuts: list[list[str]] = [[]]
    open_ = False  # whether the last piece is one that may fail
    for number, line in enumerate(lines, 1):
        node = inside.get(number)
        if node is None or number in starts:
            is_magic = MAGIC.match(line) is not None and not line[:1].isspace()
            fails = number < end and (is_magic or (node is not None and _may_fail(node, line, wanted, modules)))
            blank = not line.strip() or line.startswith("#")
            if (fails or (open_ and not blank)) and any(text.strip() for text in cuts[-1]):
                cuts.append([])
            open_ = fails or (open_ and blank)
        cuts[-1].append(line)
    made = ["\n".join(cut) for cut in cuts if any(text.strip() for text in cut)]
    return made if len(made) <= MAX_PIECES else [source]


def _defined_by(node: ast.stmt) -> set[str]:
    return {part.name for part in code.run_with_the_cell([node]) if isinstance(part, DEFINITIONS)}


def _may_fail(node: ast.stmt, line: str, wanted: Collection[str], modules: Collection[str]) -> bool:
    """Whether a statement does more than define: it may ask for what is not there while a notebook is graded."""
    if _defined_by(node) & set(wanted) or isinstance(node, DEFINITIONS) or code.text_of(node) is not None:
        return False
    if COLAB.search(line):
        return True
    if isinstance(node, IMPORTS):
        return not code.modules_of(node) <= {*sys.stdlib_module_names, *modules}
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        called = [part.func for part in ast.walk(node) if isinstance(part, ast.Call)]
        return any(isinstance(part, ast.Name) and part.id in ASKS for part in called)
    return True


def _lines_of(node: ast.stmt) -> range:
    return range(_first(node), (node.end_lineno or node.lineno) + 1)


def _first(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, DEFINITIONS) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])
