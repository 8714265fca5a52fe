"""What a failed hidden test says: what happened, as far as that is safe to tell, and where to look.

Called by `proctor.hidden_tests.session` for each test that failed. The author's word on where to look is the message of
an ``assert``, or what ``hints.py`` says of an exception.
"""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

from proctor.border import wire
from proctor.errors import KernelDied, NameMissing, Nonsense, StudentFault, StudentRaised, TooSlow
from proctor.results.fault import Fault

Advice = Callable[[str, str, str], str | None]
QUOTED = frozenset(
    {"NameError", "UnboundLocalError", "AttributeError", "TypeError", "ImportError", "ModuleNotFoundError"}
)
KNOWN = QUOTED | {
    "NotImplementedError",
    "ValueError", "RuntimeError", "IndexError", "KeyError", "ZeroDivisionError", "RecursionError",
    "AssertionError", "SystemExit", "KeyboardInterrupt", "MemoryError", "InvalidArgumentError", "OSError",
    "PermissionError", "FileNotFoundError", "StagingError", "OperatorNotAllowedInGraphError", "InaccessibleTensorError",
}  # fmt: skip

UNWRITTEN = (
    "is not written yet"  # what a stub says; nbgrader's own says nothing, and TensorFlow's errors something else
)


def fault_of(error: StudentFault) -> Fault:
    """Return what happened, without carrying a test's inputs out."""
    if isinstance(error, StudentRaised):
        return _raised(error)
    if isinstance(error, NameMissing):
        return Fault("missing", error.name)
    if isinstance(error, TooSlow):
        return Fault("too slow", seconds=error.seconds)
    if isinstance(error, KernelDied):
        return Fault("died", error.why, limit=error.limit)
    return Fault("nonsense", error.why if isinstance(error, Nonsense) else "")


def _raised(error: StudentRaised) -> Fault:
    """The text was written in the student's process, which knows the inputs.

    Only exceptions that Python itself raises for typical slips are quoted, shortened, with every number masked.
    """
    function = error.function if error.function and error.function.isidentifier() else ""
    line = error.line or 0 if function else 0
    if error.kind == "NotImplementedError" and (not error.text.strip() or UNWRITTEN in error.text):
        return Fault("unwritten", function=function)
    if error.kind not in QUOTED:
        return Fault("raised", error.kind if error.kind in KNOWN else "", "", function, line)
    last = error.text.strip().splitlines()[-1] if error.text.strip() else ""
    masked = re.sub(r"0x[0-9a-f]+|\d+(\.\d+)?(e[+-]?\d+)?", "#", last)
    return Fault("raised", error.kind, wire.printable(masked[:160]), function, line)


def hint_of(error: AssertionError) -> str:
    """The author's words only: where pytest has rewritten the assertion, it adds the values that were compared."""
    text = str(error.args[0]) if error.args else ""
    return re.split(r"^assert ", text, maxsplit=1, flags=re.MULTILINE)[0].strip()


def load_advice(folder: Path) -> Advice:
    """Load ``hints.py``'s ``advice(kind, text, remark)``: what an exception means in this assignment."""
    path = folder / "hints.py"
    if not path.is_file():
        return lambda kind, text, remark: None
    spec = importlib.util.spec_from_file_location("hints", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    advice: Advice = module.advice
    return advice
