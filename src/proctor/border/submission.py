"""The grader's end of a call: what a hidden test holds in its hand, and what it can ask of a student's notebook.

A `Submission` turns calls into requests for `proctor.border.probe`, and replies, whatever the student's process
wrote, into plain values or into a `StudentFault`. How a request travels is the `transport`'s business: through a
kernel when a class is graded, straight into the running notebook when an instructor runs the tests in place.
"""

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from proctor.border import wire
from proctor.errors import HiddenTestsBroken, NameMissing, Nonsense, StudentRaised

Transport = Callable[[str], str]


class Submission:
    """Calls into one student's process.

    `transport` takes a request's text and returns the reply's text; it raises a `StudentFault` when there is none.
    `scenarios` is the stripped source of the assignment's ``scenarios.py`` (see `scenario_source`).
    """

    def __init__(self, transport: Transport, scenarios: str = "") -> None:
        self._transport = transport
        self._scenarios = scenarios
        self.answers = 0  # values that came back

    def play(self, scenario: str, *args: Any, **kwargs: Any) -> Any:
        """Run ``scenario(notebook, *args, **kwargs)`` of ``scenarios.py`` in the student's process; plain data back.

        Raises a `StudentFault` when the student's code raises, takes too long, ends its process or answers nonsense,
        and `HiddenTestsBroken` when there is no such scenario or it is the scenario itself that fails.
        """
        known = _names(self._scenarios)
        if known is not None and scenario not in known:
            raise HiddenTestsBroken(f"scenarios.py has no {scenario!r}")
        request = {"scenarios": self._scenarios, "scenario": scenario, "args": list(args), "kwargs": kwargs}
        return self._ask(request)

    def call(self, function: str, *args: Any, **kwargs: Any) -> Any:
        """Call the notebook's own `function` on plain values; like `play` in everything else."""
        return self._ask({"call": function, "args": list(args), "kwargs": kwargs})

    def __getattr__(self, function: str) -> Callable[..., Any]:
        if function.startswith("_"):
            raise AttributeError(function)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self.call(function, *args, **kwargs)

        return call

    def _ask(self, request: Mapping[str, Any]) -> Any:
        value = _read(self._transport(wire.to_json(dict(request))))
        self.answers += 1
        return value


def _read(reply_text: str) -> Any:
    try:
        reply = wire.from_json(reply_text)
    except (ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise Nonsense(str(error)[:100]) from None
    if not isinstance(reply, dict) or len(reply) != 1:
        raise Nonsense("not a reply")
    if "value" in reply:
        return reply["value"]
    if isinstance(reply.get("missing"), str):
        raise NameMissing(wire.printable(reply["missing"][:100]))
    if isinstance(reply.get("broken"), str):
        raise HiddenTestsBroken(f"scenarios.py: {wire.printable(reply['broken'][:300])}")
    if isinstance(reply.get("error"), dict):
        raise _student_raised(reply["error"])
    raise Nonsense("not a reply")


def _student_raised(error: Mapping[str, Any]) -> StudentRaised:
    function, line = error.get("function"), error.get("line")
    return StudentRaised(
        kind=str(error.get("kind"))[:100],
        text=str(error.get("text"))[-2000:],
        function=function[:100] if isinstance(function, str) else None,
        line=line if isinstance(line, int) and 0 < line < 100_000 else None,
        remark=str(error.get("remark", ""))[:50],
    )


def scenario_source(tests_folder: Path) -> str:
    """Source of ``scenarios.py`` or ``""``, without comments and docstrings: what authors are told stays with us."""
    path = tests_folder / "scenarios.py"
    return _stripped(path, path.stat().st_mtime_ns) if path.is_file() else ""


@lru_cache(maxsize=8)
def _stripped(path: Path, changed: int) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


@lru_cache(maxsize=8)
def _names(source: str) -> frozenset[str] | None:
    """The names that scenarios are called by; None if they cannot all be told from the text."""
    found: set[str] = set()
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        else:
            stored = (part for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))
            found |= {part.id for part in stored}
            found |= {part.name for part in ast.walk(node) if isinstance(part, (ast.FunctionDef, ast.ClassDef))}
    return None if "*" in found else frozenset(found)
