"""What the warm process does before the first fork, so that no kernel has to: import, and do everything once.

`proctor.kernels.warm` calls `rehearse` in its one thread. Nothing here runs a TensorFlow operation: that starts
threads, and threads do not survive a fork.
"""

import gc
import importlib
import sys
from collections.abc import Sequence

from proctor.kernels import child
from proctor.kernels.messages import MAX_DETAIL, NotStarted
from proctor.light_kernel import pictures, texts

# What ipykernel, IPython and matplotlib would import at a kernel's start, at its first plot or its first traceback.
USED_BY_KERNELS = (
    *("ipykernel.kernelapp", "ipykernel.zmqshell", "ipykernel.ipkernel", "ipykernel.debugger", "ipykernel.codeutil"),
    *("IPython.core.completer", "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.display"),
    *("IPython.core.historyapp", "IPython.core.magics", "IPython.core.magics.ast_mod", "IPython.core.magics.execution"),
    *("IPython.core.magics.pylab", "IPython.core.oinspect", "IPython.core.pylabtools", "IPython.extensions.storemagic"),
    *("IPython.utils.wildcard", "matplotlib_inline.backend_inline", "matplotlib_inline.config", "multiprocessing"),
    *("tornado.platform.asyncio", "jedi", "secrets", "stack_data", "executing", "pure_eval", "numpy.random"),
    *("pygments.formatters.terminal256", "pygments.formatters.html", "pygments.styles.default"),
    "pygments.lexers.python",
    "landlockpy",
)


def rehearse(preload: Sequence[str]) -> NotStarted | None:
    """Import `preload` and what every kernel needs; None, or the module of `preload` that cannot be imported."""
    # Nobody debugs these kernels, and ipykernel's debugger costs 0.3 s. A student's own `import debugpy` still works.
    sys.modules["debugpy"] = sys.modules["debugpy.server"] = None  # type: ignore[assignment]
    for name in (*preload, *USED_BY_KERNELS):
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - whatever a module raises on import is the instructor's to read
            if name in preload or not isinstance(error, ImportError):
                return NotStarted("no import", f"{type(error).__name__}: {error}"[:MAX_DETAIL], name)
    _do_once_what_every_kernel_does()
    del sys.modules["debugpy"], sys.modules["debugpy.server"]
    child.before_the_fork()
    gc.collect()
    gc.freeze()
    return None


def _do_once_what_every_kernel_does() -> None:
    """For what it fills in on the way: each page of memory that is not written to later stays shared."""
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    pictures.install()
    if "matplotlib" in sys.modules:
        from matplotlib.backends.registry import backend_registry

        backend_registry.resolve_gui_or_backend("inline")  # type: ignore[no-untyped-call]
        texts.install()
        draw_a_sample()


def draw_a_sample() -> None:
    """Fill matplotlib's font and style caches: the first plot of a process costs ten times what the next one does."""
    from IPython.core.pylabtools import print_figure
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    axes.scatter([0, 1], [0, 1], c="b", label="a")
    axes.scatter([0, 1], [1, 0], c="r", marker="+", label="b")
    axes.plot([0, 1], [1, 0], "--")
    axes.set_xlabel("x")
    axes.set_title("t")
    axes.legend()
    figure.tight_layout()
    FigureCanvasAgg(figure)
    print_figure(figure)
    axes.set_yscale("log")  # its labels, such as 10^-2, take the parser of formulas
    print_figure(figure)
