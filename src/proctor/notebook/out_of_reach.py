"""What of an author's cells no student's process may do, told without running them: programs, processes, the network.

Called by ``proctor check`` and ``proctor grade``: such a test gives no points to anybody, and its author should hear of
it before the class does. The sandbox refuses these things whatever is found here.
"""

import ast
import json
import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from proctor.results.flag import Flag

# Magics of IPython that start a program; those that only look, such as %timeit, are not among them.
LINE_MAGICS = {
    "sx",
    "sc",
    "system",
    "pip",
    "conda",
    "mamba",
    "uv",
    "rm",
    "cp",
    "mv",
    "ls",
    "cat",
    "mkdir",
    "rmdir",
    "man",
}
CELL_MAGICS = {
    "bash",
    "sh",
    "script",
    "system",
    "sx",
    "!",
    "perl",
    "ruby",
    "cmd",
    "python",
    "python2",
    "python3",
    "pypy",
}
SHELL = {"system", "getoutput"}  # what IPython makes of ``!ls`` and of ``names = !ls``
MODULES = {"subprocess", "multiprocessing", "socket", "requests", "httpx", "urllib.request", "http.client", "ftplib"}
CALLS = re.compile(r"os\.(?:system|popen|fork|exec\w+|spawn\w+|posix_spawn)|(?:\w+\.)*ProcessPoolExecutor")


def flags_of(notebooks: Iterable[Path]) -> list[Flag]:
    """One flag for each given cell of these source notebooks that needs what it cannot have; `names` says what."""
    return [
        Flag("out of reach", name, names=tuple(needs)) for name, source in _given(notebooks) if (needs := of(source))
    ]


def of(source: str) -> list[str]:
    """What a cell needs that it cannot have, each thing once and as its author wrote it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python, on escapes in strings
            tree = ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return list(dict.fromkeys(need for node in ast.walk(tree) for need in _needs(node)))


def _needs(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name in MODULES]
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name for name in (str(node.module), *names) if name in MODULES or CALLS.fullmatch(name)]
    if not isinstance(node, ast.Call):
        return []
    called = ast.unparse(node.func)
    of_ipython = called.removeprefix("get_ipython().")
    first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
    if of_ipython in SHELL and called != of_ipython:
        return [f"!{' '.join(str(first).split()[:1])}"]
    magics, sign = {"run_line_magic": (LINE_MAGICS, "%"), "run_cell_magic": (CELL_MAGICS, "%%")}.get(
        of_ipython, (set[str](), "")
    )
    return [f"{sign}{first}"] if first in magics else [called] if CALLS.fullmatch(called) else []


def _given(notebooks: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Name and text of the code cells that students do not write; what is no notebook is found out elsewhere."""
    for path in notebooks:
        try:
            cells = json.loads(path.read_bytes())["cells"]
            for number, cell in enumerate(cells, 1):
                about: Any = cell["metadata"].get("nbgrader", {})
                if cell["cell_type"] == "code" and not about.get("solution"):
                    yield str(about.get("grade_id") or number), "".join(cell["source"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
