"""Runs the hidden tests of test cells: ordinary pytest files, in the grader's process, against a `Submission`.

`proctor.notebook.grade` opens one pytest session a notebook and runs a file of it whenever it comes to its cell,
`proctor.hidden_tests.in_place` runs one file for an instructor. The outcome of a test is decided here and only here:
an assertion or a `StudentFault` fails it, and so does an answer of a kind that the test can do nothing with. Anything
else that goes wrong is ours and leaves it undecided.
"""

import inspect
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest

from proctor.border.submission import Submission
from proctor.errors import HiddenTestsBroken, StudentFault, StudentRaised
from proctor.hidden_tests import fixtures
from proctor.hidden_tests.explain import fault_of, hint_of, load_advice
from proctor.results.fault import Fault
from proctor.results.verdict import Item

log = logging.getLogger(__name__)

SILENT = [
    "-p", "no:assertion", "--capture=no", "--import-mode=importlib", "--strict-markers", "-c", os.devnull,
    "--disable-plugin-autoload", "--continue-on-collection-errors",
    "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:logging", "-p", "no:junitxml", "-p", "no:faulthandler",
    "-p", "no:warnings", "-p", "no:unraisableexception", "-p", "no:threadexception",
    "-p", "no:pastebin", "-p", "no:doctest", "-p", "no:unittest", "-p", "no:debugging", "-p", "no:legacypath",
    "-p", "no:setuponly", "-p", "no:setupplan", "-p", "no:stepwise",
]  # fmt: skip

# What a test raises that computes with an answer of another kind than it expects. A test that raises them on a right
# answer is wrong itself, which `proctor check` shows its author.
OF_ANOTHER_KIND = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)

REFERENCE = "reference.py"
Result = TypeVar("Result")
RunFile = Callable[[Path], tuple[Item, ...]]


def run(file: Path, submission: Submission, seed: int) -> tuple[Item, ...]:
    """Run every test of `file`, in its order, and return one `Item` each.

    Inputs are drawn from `seed` and the test's name, so they are the same for every student of one run. Raises
    `HiddenTestsBroken` if the file cannot be collected or a test has no points.
    """
    return session([file], submission, seed, lambda run_file: run_file(file))


def session(files: Sequence[Path], submission: Submission, seed: int, work: Callable[[RunFile], Result]) -> Result:
    """Call `work` with a function that runs one of `files`, like `run`, as often as it is asked to; return its result.

    The files share a folder and are collected together: starting pytest costs more than running them.
    """
    return seeded_session(files, fixtures.Given(submission, seed), work)


def seeded_session(files: Sequence[Path], given: fixtures.Given, work: Callable[[RunFile], Result]) -> Result:
    """The same, where whoever holds `given` may change its seed between two runs: for tests of tests."""
    folder = files[0].parent
    judge = _Judge(folder, given, work)
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
        _forget(_neighbours, set(sys.modules))
        _neighbours.clear()
        _neighbours.update(stamp)
    sys.path.insert(0, str(folder))
    before = set(sys.modules)
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        _forget((path for path in stamp if path.name.startswith("test_")), sys.modules.keys() - before)


_neighbours: dict[Path, int] = {}


def _forget(files: Iterable[Path], modules: Iterable[str]) -> None:
    """Have those of `modules` that are `files` imported anew. Look at few: TensorFlow has thousands."""
    paths = {str(path) for path in files}
    for name in modules:
        if getattr(sys.modules[name], "__file__", None) in paths:
            del sys.modules[name]


class _Judge:
    """The pytest plugin that does the work in place of pytest's own loop, and turns reports into items."""

    def __init__(self, folder: Path, given: fixtures.Given, work: Callable[[RunFile], Any]) -> None:
        self._folder = folder
        self._given = given
        self._work = work
        self._advice = load_advice(folder)
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
        config.option.tbstyle = "native"  # pytest writes a report of each failure, and its long one takes 50 ms

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
            self._items[test.nodeid] = Item(test.name, asked, float(marker.args[0]), "undecided")

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
        self._given.submission.answers = 0
        for test in tests:  # the file may have been run before
            item = self._items[test.nodeid]
            self._items[test.nodeid] = Item(item.name, item.asked, item.max_points, "undecided")
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
            decision = self._decide(item, call) if call.when != "teardown" else {"outcome": "undecided"}
            self._items[item.nodeid] = replace(self._items[item.nodeid], **decision)
        yield

    def _decide(self, item: pytest.Item, call: pytest.CallInfo[None]) -> dict[str, Any]:
        if call.excinfo is None:
            return {"outcome": "passed"}
        error = call.excinfo.value
        if isinstance(error, StudentRaised):
            hint = self._advice(error.kind, error.text, error.remark) or ""
            return {"outcome": "failed", "fault": fault_of(error), "hint": hint}
        if isinstance(error, StudentFault):
            return {"outcome": "failed", "fault": fault_of(error)}
        if isinstance(error, AssertionError):
            return {"outcome": "failed", "hint": hint_of(error)}
        if isinstance(error, pytest.fail.Exception):
            return {"outcome": "failed", "hint": str(error.msg or "")}
        if isinstance(error, OF_ANOTHER_KIND) and self._given.submission.answers and not _is_ours(error):
            log.warning("%s could do nothing with an answer: %s", item.nodeid, call.excinfo.getrepr(style="short"))
            return {"outcome": "failed", "fault": Fault("misfit", type(error).__name__)}
        log.error("%s is undecided: %s", item.nodeid, call.excinfo.getrepr(style="short"))
        return {"outcome": "undecided"}


def _is_ours(error: BaseException) -> bool:
    """Whether the reference raised it, or a name that a module does not have: that is no answer's doing."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).name == REFERENCE]
    return bool(own) or (isinstance(error, AttributeError) and isinstance(error.obj, ModuleType))


def _raise(error: BaseException) -> None:
    raise error
