"""Runs one cell's hidden tests: an ordinary pytest file, in the grader's process, against a `Submission`.

Called for each graded cell by `proctor.grade_notebook`, and by `proctor.in_place` for an instructor. The outcome of a
test is decided here and only here: an assertion or a `StudentFault` fails it, anything else that goes wrong is ours and
leaves it undecided.
"""

import importlib.util
import inspect
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proctor import fixtures
from proctor.errors import CourseError, HiddenTestsBroken, StudentFault, StudentRaised
from proctor.submission import Submission
from proctor.verdict import Item, Outcome

log = logging.getLogger(__name__)

REGION = re.compile(r"^.*BEGIN HIDDEN TESTS.*\n(?P<hidden>(?:.*\n)*?).*END HIDDEN TESTS.*$", re.MULTILINE)
RUN_LINE = re.compile(r"""^\s*import proctor;\s*proctor\.run_hidden_tests\(\s*["'](?P<path>[^"']+)["']\s*\)\s*$""")
UNDECIDED = "This could not be checked. It is not your mistake: your instructor will look at it."
SILENT = [
    "--assert=plain", "--capture=no", "--import-mode=importlib", "--strict-markers", "-c", os.devnull,
    "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging", "-p", "no:junitxml", "-p", "no:faulthandler",
    "-p", "no:warnings", "-p", "no:unraisableexception", "-p", "no:threadexception", "-p", "no:timeout",
    "-p", "no:pastebin", "-p", "no:doctest", "-p", "no:unittest",
]  # fmt: skip


def split(source: str) -> tuple[str, str | None]:
    """Split a test cell into its visible part and the hidden test file that it names (None: an ordinary cell)."""
    region = REGION.search(source)
    if region is None:
        return source, None
    line = RUN_LINE.match(region["hidden"].strip())
    return source[: region.start()] + source[region.end() :], line["path"] if line else None


def find(grader_tests: Path, path: str) -> Path:
    """Return the test file that a cell names, below `grader_tests`. Raises `CourseError` if it is not there."""
    root = grader_tests.resolve()
    file = (root / path).resolve()
    if root not in file.parents or not file.is_file():
        raise CourseError(f"{path}: no such hidden test file in {grader_tests}")
    return file


def run(file: Path, submission: Submission, seed: int) -> tuple[Item, ...]:
    """Run every test of `file`, in its order, and return one `Item` each.

    Inputs are drawn from `seed` and the test's name, so they are the same for every student of one run. Raises
    `HiddenTestsBroken` if the file cannot be collected or a test has no points.
    """
    judge = _Judge(file, submission, seed)
    with _importable(file.parent):
        pytest.main(
            [*SILENT, f"--rootdir={file.parent}", f"--confcutdir={file.parent}", str(file)], plugins=[judge, fixtures]
        )
    if judge.broken or not judge.items:
        raise HiddenTestsBroken(f"{file}: {judge.broken or 'no tests found'}")
    return tuple(judge.items.values())


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let the tests import their neighbours (`reference`, helpers), which stay imported from one student to the next.

    Test files are executed anew for each student, neighbours when one of them has changed or for another assignment.
    """
    stamp = {path: path.stat().st_mtime_ns for path in folder.glob("*.py")}
    if _neighbours != stamp:
        _forget(_neighbours)
        _neighbours.clear()
        _neighbours.update(stamp)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        _forget(path for path in stamp if path.name.startswith("test_"))


_neighbours: dict[Path, int] = {}


def _forget(files: Iterable[Path]) -> None:
    names = {str(path) for path in files}
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) in names:
            del sys.modules[name]


class _Judge:
    """The pytest plugin that turns reports into items."""

    def __init__(self, file: Path, submission: Submission, seed: int) -> None:
        self._submission = submission
        self._seed = seed
        self._advice = _load_advice(file.parent)
        self.items: dict[str, Item] = {}
        self.broken = ""

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "points(n): what the test is worth")
        config.stash[fixtures.GIVEN] = fixtures.Given(self._submission, self._seed)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken = self.broken or str(report.longrepr)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for test in items:
            marker = test.get_closest_marker("points")
            if marker is None:
                self.broken = f"{test.name} has no @pytest.mark.points(...)"
                return
            asked = inspect.cleandoc(getattr(test, "function", None).__doc__ or test.name)
            self.items[test.nodeid] = Item(test.name, asked, float(marker.args[0]), "undecided", UNDECIDED)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        # A fixture may have asked the student's process something, too; a teardown only ever cleans up after us.
        if call.when == "call" or call.excinfo is not None:
            outcome, message = self._decide(item, call) if call.when != "teardown" else ("undecided", UNDECIDED)
            self.items[item.nodeid] = replace(self.items[item.nodeid], outcome=outcome, message=message)
        yield

    def _decide(self, item: pytest.Item, call: pytest.CallInfo[None]) -> tuple[Outcome, str]:
        if call.excinfo is None:
            return "passed", ""
        error = call.excinfo.value
        if isinstance(error, StudentFault):
            return "failed", self._explain(error)
        if isinstance(error, AssertionError):
            return "failed", _hint(error)
        if isinstance(error, pytest.fail.Exception):
            return "failed", str(error.msg or "")
        log.error("%s is undecided: %s", item.nodeid, call.excinfo.getrepr(style="short"))
        return "undecided", UNDECIDED

    def _explain(self, fault: StudentFault) -> str:
        if not isinstance(fault, StudentRaised):
            return _sentence(str(fault))
        advice = self._advice(fault.kind, fault.text)
        raised = describe(fault)
        return f"{raised} {advice}" if advice else raised


def _hint(error: AssertionError) -> str:
    """The author's words only: where pytest has rewritten the assertion, it adds the values that were compared."""
    text = str(error.args[0]) if error.args else ""
    return re.split(r"^assert ", text, maxsplit=1, flags=re.MULTILINE)[0].strip()


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(("?", "!", ".")) else ".")


def describe(fault: StudentRaised) -> str:
    """Say what the student's code raised, and where, without carrying a test's inputs out.

    The text was written in the student's process, which knows the inputs: only exceptions that Python itself raises for
    typical slips are quoted, shortened, with every number masked.
    """
    where = f" in `{fault.function}`" if fault.function and fault.function.isidentifier() else ""
    where += f", line {fault.line} of its cell" if where and fault.line else ""
    if fault.kind not in QUOTED:
        kind = fault.kind if fault.kind in KNOWN else "an exception"
        return f"Your code raised {kind}{where}."
    text = re.sub(r"\d+(\.\d+)?(e[+-]?\d+)?", "#", fault.text.strip().splitlines()[-1] if fault.text.strip() else "")
    quoted = f" ({text[:160]})" if text else ""
    return f"Your code raised {fault.kind}{quoted}{where}."


QUOTED = frozenset(
    {"NameError", "UnboundLocalError", "AttributeError", "TypeError", "ImportError", "ModuleNotFoundError"}
)
KNOWN = QUOTED | {
    "NotImplementedError",
    "ValueError", "RuntimeError", "IndexError", "KeyError", "ZeroDivisionError", "RecursionError",
    "AssertionError", "SystemExit", "KeyboardInterrupt", "MemoryError", "InvalidArgumentError", "OSError",
    "PermissionError", "FileNotFoundError", "StagingError", "OperatorNotAllowedInGraphError", "InaccessibleTensorError",
}  # fmt: skip


def _load_advice(folder: Path) -> Any:
    """Load ``hints.py``'s ``advice(kind, text)``: what an exception means in this assignment."""
    path = folder / "hints.py"
    if not path.is_file():
        return lambda kind, text: None
    spec = importlib.util.spec_from_file_location("hints", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.advice
