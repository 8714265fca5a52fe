"""What a piece of Python text defines, told without running it; texts are a student's and may be anything.

Used by all of this package. Magics and shell lines are no Python: they are looked past.
"""

import ast
import builtins
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import wraps
from typing import TypeVar

MAX_SOURCE = 200_000  # no person writes a longer cell, and parsing takes time
# A magic, a shell line or a question to IPython; a name may be given what comes of it, and a backslash continue it.
MAGIC = re.compile(
    r"^([ \t]*)(?:([A-Za-z_]\w*)[ \t]*=[ \t]*)?(?:[%!](?:.*\\\n)*.*|\?{1,2}[\w.*]+[ \t]*|[\w.]+\?{1,2}[ \t]*)$",
    re.MULTILINE,
)
CELL_MAGIC = re.compile(r"\s*%%(\w*)")
IN_PYTHON = {"time", "capture", "prun"}  # cell magics below which a cell is run as any other
BLANK = re.compile(r"\s+")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)
QUIET = (*DEFINITIONS, *IMPORTS, ast.Assign, ast.AnnAssign)
MADE = (ast.Lambda, ast.Call, ast.Name, ast.Attribute, ast.Tuple)  # what a name is given that can then be called

Told = TypeVar("Told")
_memories: list[dict[str, object]] = []


def remembered(told_of: Callable[[str], Told]) -> Callable[[str], Told]:
    """Have what is told of a text told once, until `forget` is asked to forget the text."""
    memory: dict[str, Told] = {}
    _memories.append(memory)  # type: ignore[arg-type]

    @wraps(told_of)
    def tell(source: str) -> Told:
        if source not in memory:
            memory[source] = told_of(source)
        return memory[source]

    return tell


def forget(but: Collection[str] = ()) -> None:
    """Forget the texts of a notebook `but` those that the next one has, too: what a student writes may be large."""
    for memory in _memories:
        for source in memory.keys() - but:
            del memory[source]


@remembered
def body(source: str) -> tuple[ast.stmt, ...] | None:
    """The statements of a cell, or None where Python cannot read it."""
    if len(source) > MAX_SOURCE:
        return None
    magic = CELL_MAGIC.match(source)
    if magic and magic[1] not in IN_PYTHON:
        return ()  # whatever stands below is not run as Python here
    return _parsed(python_of(source))


@remembered
def python_of(source: str) -> str:
    """A cell as Python reads it, on as many lines: flush left, and without magics unless it is Python as it stands."""
    flush = flush_left(source)
    return flush if _parsed(flush) is not None else _without_magics(flush)


def _parsed(text: str) -> tuple[ast.stmt, ...] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python, on escapes in a student's strings
            return tuple(ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def flush_left(source: str) -> str:
    """The cell without the blanks that its first line begins with, which IPython takes away."""
    text = source.lstrip("\n")
    margin = text[: len(text) - len(text.lstrip(" \t"))]
    return "\n".join(line.removeprefix(margin) for line in source.split("\n")) if margin else source


def _without_magics(source: str) -> str:
    """Python in place of what only IPython reads, on as many lines."""

    def python(found: "re.Match[str]") -> str:
        instead = f"{found[2]} = None" if found[2] else "pass" if found[1] else ""
        return found[1] + instead + "\n" * found[0].count("\n")

    return MAGIC.sub(python, source)


def run_with_the_cell(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Statements, and those in their blocks that run with them: not what is inside of functions and classes."""
    waiting = list(statements)[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, DEFINITIONS):
            inside = [part for name in ("body", "handlers", "orelse", "finalbody") for part in _list(node, name)]
            waiting += inside[::-1]


def _list(node: ast.AST, name: str) -> list[ast.AST]:
    found = getattr(node, name, None)
    return found if isinstance(found, list) else []


@remembered
def key(source: str) -> str:
    """The text without what editors change: blanks, line ends, the kind of quotes."""
    if len(source) > MAX_SOURCE:
        return f"{len(source)} characters"
    return BLANK.sub("", source).replace('"', "'")


@remembered
def defined(source: str) -> frozenset[str]:
    """Names of the functions and classes that a cell defines when it is run."""
    return frozenset(node.name for node in run_with_the_cell(body(source) or ()) if isinstance(node, DEFINITIONS))


def assigned(source: str) -> set[str]:
    """Names that a cell gives something that may be called: ``loss = tf.keras.losses.MeanSquaredError()``."""
    given = [node for node in body(source) or () if isinstance(node, ast.Assign) and isinstance(node.value, MADE)]
    return {name for node in given for name in bound(node)}


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


@remembered
def names(source: str) -> frozenset[str]:
    """Names that a cell may bind, wherever in it: those of a given cell are not a student's to bind above it."""
    nodes = [node for statement in body(source) or () for node in ast.walk(statement)]
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return frozenset(stored.union(*(bound(node) for node in nodes if isinstance(node, ast.stmt))))


def used(source: str) -> set[str]:
    """Names that a cell reads, in whatever it defines, too, but for Python's own."""
    nodes = [node for statement in body(source) or () for node in ast.walk(statement)]
    read = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return read - {node.arg for node in nodes if isinstance(node, ast.arg)} - set(dir(builtins))


def is_quiet(source: str) -> bool:
    """Whether a cell only imports, assigns and defines: it can stand higher up without showing or drawing anything."""
    statements = body(source)
    return bool(statements) and all(isinstance(node, QUIET) for node in statements or ())


def implements_nothing(source: str, stub: str) -> bool:
    """Whether a cell defines the functions of `stub` with nothing in them but what was released."""
    if key(source) == key(stub):
        return True
    return bool(bodies(stub)) and bodies(source) == bodies(stub)


@remembered
def bodies(source: str) -> dict[str, list[str]]:
    """The functions of a cell without docstrings, as text that can be compared; empty if there is more in it."""
    statements = body(source) or ()
    if not all(isinstance(node, ast.FunctionDef) for node in statements):
        return {}
    return {node.name: body_of(node) for node in statements if isinstance(node, ast.FunctionDef)}


def body_of(node: ast.FunctionDef) -> list[str]:
    return [same(part) for part in node.body if text_of(part) is None]


def same(node: ast.AST) -> str:
    """A text that two statements share if they are the same."""
    try:
        return ast.dump(node)
    except RecursionError:  # a sum of thousands: Python reads it, and nobody has released it
        return type(node).__name__


def text_of(node: ast.stmt) -> str | None:
    """The text that a statement is and nothing else, as a docstring is one."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


def modules_of(node: ast.AST) -> set[str]:
    """The packages that an import is from."""
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    return {alias.name.partition(".")[0] for alias in node.names} if isinstance(node, ast.Import) else set()


def imported(sources: Iterable[str]) -> set[str]:
    """The packages that cells import."""
    return {name for source in sources for node in body(source) or () for name in modules_of(node)}
