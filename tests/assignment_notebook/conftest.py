"""The source notebook, and a way to run it in this process: one namespace, no kernel, TensorFlow imported once."""

import contextlib
import io
import linecache
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

SOURCE = Path(__file__).parents[2] / "source" / "custom_training_basics" / "custom_training_basics.ipynb"
HIDDEN = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)
Run = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def notebook() -> nbformat.NotebookNode:
    """The instructor's notebook."""
    return nbformat.read(SOURCE, as_version=nbformat.NO_CONVERT)


@pytest.fixture(scope="session")
def run(notebook: nbformat.NotebookNode) -> Run:
    """Run the notebook down to one cell, with other code in some cells; return what each cell printed."""
    import matplotlib as mpl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's own, while it is imported
        import tensorflow  # noqa: F401
    mpl.use("agg")
    import matplotlib.pyplot as plt

    def run(until: str | None = None, only: tuple[str, ...] = (), **answers: str) -> dict[str, str]:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        printed: dict[str, str] = {}
        for cell in notebook.cells:
            if cell.cell_type == "code" and (not only or cell.id in only):
                printed[cell.id] = _execute(answers.get(cell.id, HIDDEN.sub("", cell.source)), cell.id, namespace)
            if cell.id == until:
                break
        return printed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda: plt.close("all"))
        yield run


def _execute(source: str, name: str, namespace: dict[str, Any]) -> str:
    """Execute one cell as IPython would: its lines can be looked up, for tracebacks and for `tf.function`."""
    file = f"<cell {name} {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(source, file, "exec"), namespace)
    return printed.getvalue()
