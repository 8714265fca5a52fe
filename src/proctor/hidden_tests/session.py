"""Runs the hidden tests of test cells: ordinary pytest files, in the grader's process, against a `Submission`.

`proctor.notebook.grade` opens one pytest session a notebook and runs a file of it whenever it comes to its cell,
`proctor.hidden_tests.in_place` runs one file for an instructor. The outcome of a test is decided here and only here:
an assertion or a `StudentFault` fails it, anything else that goes wrong is ours and leaves it undecided.
"""

import importlib.util
import inspect
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from proctor.border import wire
from proctor.border.submission import Submission
from proctor.errors import CourseError, HiddenTestsBroken, StudentFault, StudentRaised
from proctor.hidden_tests import fixtures
from proctor.results.verdict import Item, Outcome

log = logging.getLogger(__name__)

BEGIN, END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
RUN_LINE = re.compile(r"""^\s*import proctor;\s*proctor\.run_hidden_tests\(\s*["'](?P<path>[^"']+)["']\s*\)\s*$""")
MAX_RUN_LINE = 1000
UNDECIDED = "This could not be checked. It is not your mistake: your instructor will look at it."
SILENT = [
    "--assert=plain", "--capture=no", "--import-mode=importlib", "--strict-markers", "-c", os.devnull,
    "--disable-plugin-autoload", "--continue-on-collection-errors",
    "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging", "-p", "no:junitxml", "-p", "no:faulthandler",
    "-p", "no:warnings", "-p", "no:unraisableexception", "-p", "no:threadexception",
    "-p", "no:pastebin", "-p", "no:doctest", "-p", "no:unittest",
]  # fmt: skip

Result = TypeVar("Result")
RunFile = Callable[[Path], tuple[Item, ...]]


def split(source: str) -> tuple[str, str | None]:
    """Split a test cell into its visible part and the hidden test file that it names (None: an ordinary cell)."""
    # Without a regular expression: students write such texts, too, and one would take the square of their length.
    first_line = source.find("\n", source.find(BEGIN)) if BEGIN in source else -1
    end = source.find(END, first_line) if first_line >= 0 else -1
    if end < 0:
        return source, None
    start, last_line = source.rfind("\n", 0, source.find(BEGIN)) + 1, source.find("\n", end)
    hidden = source[first_line + 1 : source.rfind("\n", 0, end) + 1]
    line = RUN_LINE.match(hidden.strip()) if len(hidden) < MAX_RUN_LINE else None
    rest = source[last_line:] if last_line >= 0 else ""
    return source[:start] + rest, line["path"] if line else None


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
    return session([file], submission, seed, lambda run_file: run_file(file))


def session(files: Sequence[Path], submission: Submission, seed: int, work: Callable[[RunFile], Result]) -> Result:
    """Call `work` with a function that runs one of `files`, like `run`, whenever it is asked to; return its result.

    The files share a folder and are collected together: starting pytest costs more than running them.
    """
    folder = files[0].parent
    judge = _Judge(folder, submission, seed, work)
    with _importable(folder):
        names = [str(file) for file in dict.fromkeys(files)]
        pytest.main([*SILENT, f"--rootdir={folder}", f"--confcutdir={folder}", *names], plugins=[judge, fixtures])
        result: Result = judge.result()
        return result


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
    """The pytest plugin that does the work in place of pytest's own loop, and turns reports into items."""

    def __init__(self, folder: Path, submission: Submission, seed: int, work: Callable[[RunFile], Any]) -> None:
        self._folder = folder
        self._given = fixtures.Given(submission, seed)
        self._work = work
        self._advice = _load_advice(folder)
        self._tests: dict[Path, list[pytest.Item]] = {}
        self._broken: dict[Path, str] = {}
        self._items: dict[str, Item] = {}
        self._done: Callable[[], Any] = lambda: work(self._run_file)  # if pytest does not come to its loop

    def result(self) -> Any:
        """Return or raise what the work came to: pytest would make an exit code of an exception."""
        return self._done()

    def pytest_configure(self, config: pytest.Config) -> None:
        config.addinivalue_line("markers", "points(n): what the test is worth")
        config.stash[fixtures.GIVEN] = self._given

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._broken.setdefault(self._folder / report.nodeid.split("::")[0], str(report.longrepr))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for test in items:
            self._tests.setdefault(test.path, []).append(test)
            marker = test.get_closest_marker("points")
            if marker is None:
                self._broken.setdefault(test.path, f"{test.name} has no @pytest.mark.points(...)")
                continue
            asked = inspect.cleandoc(getattr(test, "function", None).__doc__ or test.name)
            self._items[test.nodeid] = Item(test.name, asked, float(marker.args[0]), "undecided", UNDECIDED)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            result = self._work(self._run_file)
            self._done = lambda: result
        except BaseException as error:  # noqa: BLE001 - raised again where pytest is over
            self._done = partial(_raise, error)
        return True

    def _run_file(self, file: Path) -> tuple[Item, ...]:
        tests = self._tests.get(file, [])
        if file in self._broken or not tests:
            raise HiddenTestsBroken(f"{file}: {self._broken.get(file) or 'no tests found'}")
        try:
            for test, following in zip(tests, [*tests[1:], None], strict=True):
                test.config.hook.pytest_runtest_protocol(item=test, nextitem=following)
        except pytest.exit.Exception:  # the tests after it stay undecided
            tests[0].session._setupstate.teardown_exact(None)
        return tuple(self._items[test.nodeid] for test in tests)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        # A fixture may have asked the student's process something, too; a teardown only ever cleans up after us.
        if call.when == "call" or call.excinfo is not None:
            outcome, message = self._decide(item, call) if call.when != "teardown" else ("undecided", UNDECIDED)
            self._items[item.nodeid] = replace(self._items[item.nodeid], outcome=outcome, message=message)
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


def _raise(error: BaseException) -> None:
    raise error


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
    quoted = f" ({wire.printable(text[:160])})" if text else ""
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
