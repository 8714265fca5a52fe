"""What a piece of Python text defines, told without running it; texts are a student's and may be anything.

Used by `match` and `rebuild`. Magics and shell lines are no Python: they are looked past.
"""

import ast
import re
import warnings
from functools import cache

MAX_SOURCE = 200_000  # no person writes a longer cell, and parsing takes time
MAX_PIECES = 50  # that a cell is cut into
MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)
COMMENT = re.compile(r"^([ \t]*)# ?", re.MULTILINE)
FENCE = re.compile(r"^[ \t]*```.*$", re.MULTILINE)
BLANK = re.compile(r"\s+")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
QUIET = (*DEFINITIONS, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
COLAB = re.compile(r"\bgoogle\.colab\b|^\s*(?:drive|files)\.(?:mount|flush_and_unmount|upload)\(")


@cache
def body(source: str) -> tuple[ast.stmt, ...] | None:
    """The statements of a cell, or None where Python cannot read it."""
    if len(source) > MAX_SOURCE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python, on escapes in a student's strings
            return tuple(ast.parse(MAGIC.sub("", source)).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def key(source: str) -> str:
    """The text without what editors change: blanks, line ends, the kind of quotes."""
    if len(source) > MAX_SOURCE:
        return f"{len(source)} characters"
    return BLANK.sub("", source).replace('"', "'")


def defined(source: str) -> set[str]:
    """Names of the functions and classes that a cell defines when it is run."""
    return {node.name for node in body(source) or () if isinstance(node, DEFINITIONS)}


def bound(statement: ast.stmt) -> set[str]:
    """Names that a quiet statement binds; ``*`` for a star import."""
    if isinstance(statement, DEFINITIONS):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return {
            node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
    return set()


def names(source: str) -> set[str]:
    """Names that a cell may bind, wherever in it: those of a given cell are not a student's to bind above it."""
    nodes = [node for statement in body(source) or () for node in ast.walk(statement)]
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored.union(*(bound(node) for node in nodes if isinstance(node, ast.stmt)))


def is_quiet(source: str) -> bool:
    """Whether a cell only imports, assigns and defines: it can stand higher up without showing or drawing anything."""
    statements = body(source)
    return bool(statements) and all(isinstance(node, QUIET) for node in statements or ())


def implements_nothing(source: str, stub: str) -> bool:
    """Whether a cell defines the functions of `stub` with nothing in them but what was released."""
    if key(source) == key(stub):
        return True
    bodies = _bodies(stub)
    return bool(bodies) and _bodies(source) == bodies


def _bodies(source: str) -> dict[str, list[str]]:
    """The functions of a cell without docstrings, as text that can be compared; empty if there is more in it."""
    statements = body(source) or ()
    if not all(isinstance(node, ast.FunctionDef) for node in statements):
        return {}
    return {
        node.name: [ast.dump(part) for part in node.body if not _is_text(part)]
        for node in statements
        if isinstance(node, ast.FunctionDef)
    }


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def without_fences(text: str) -> str:
    """Code that was pasted into a text cell, without the marks around it."""
    return FENCE.sub("", text) if len(text) <= MAX_SOURCE else ""


def uncommented(source: str) -> str:
    """What a cell would be without its first column of comment signs."""
    return COMMENT.sub(r"\1", source) if len(source) <= MAX_SOURCE else ""


def additions(source: str, released: str, taken: set[str]) -> str:
    """Imports, assignments and definitions in a cell beyond those of a released one, but for the names `taken`.

    Asked of a given cell that a student has changed: it is put back as it was released, and these are the student's.
    """
    there = {ast.dump(node) for node in body(released) or ()}
    kept = [
        ast.get_source_segment(MAGIC.sub("", source), node) or ""
        for node in body(source) or ()
        if isinstance(node, QUIET) and ast.dump(node) not in there and bound(node) and not bound(node) & (taken | {"*"})
    ]
    return "\n\n".join(kept)


def pieces(source: str) -> list[str]:
    """A cell, cut where a line magic, a shell line or Colab stands: what fails there must not end the rest."""
    statements = body(source)
    if statements is None or source.lstrip().startswith("%%"):
        return [source]
    lines = source.split("\n")
    inside = {number for node in statements for number in range(_first(node) + 1, (node.end_lineno or 0) + 1)}
    cuts: list[list[str]] = [[]]
    for number, line in enumerate(lines, 1):
        alone = number not in inside and (line.startswith(("%", "!")) or COLAB.search(line) is not None)
        if alone and any(text.strip() for text in cuts[-1]):
            cuts.append([])
        cuts[-1].append(line)
        if alone:
            cuts.append([])
    made = ["\n".join(cut) for cut in cuts if any(text.strip() for text in cut)]
    return made if len(made) <= MAX_PIECES else [source]


def _first(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, DEFINITIONS) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])
