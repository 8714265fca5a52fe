"""What is different about the shell of a light kernel: a cell is read once, and runs far from the kernel's own code."""

import functools
from collections.abc import Callable
from typing import Any

# TensorFlow notes with every operation in which lines the innermost thirty calls are, and to find a line takes longer
# the further down a function it is. The kernel's and IPython's functions are long, and twenty of them stand around a
# cell: nearly half the time of a small operation goes there. Short calls, so many, keep them out of sight.
CALLS_BETWEEN = 24


def adjust(shell: Any) -> None:
    """Change `shell` in both ways. It keeps its class, by whose name libraries tell that they are in a notebook."""
    for name in ("transform_cell", "should_run_async"):
        _work_out_once(shell, name)
    run_code, user_expressions = shell.run_code, shell.user_expressions

    @functools.wraps(run_code)
    async def run_code_below(*arguments: Any, **options: Any) -> Any:
        return await _await_below(CALLS_BETWEEN, run_code(*arguments, **options))

    @functools.wraps(user_expressions)
    def user_expressions_below(expressions: Any) -> Any:
        return _call_below(CALLS_BETWEEN, user_expressions, expressions)

    shell.run_code, shell.user_expressions = run_code_below, user_expressions_below


async def _await_below(calls: int, coroutine: Any) -> Any:
    return await (_await_below(calls - 1, coroutine) if calls else coroutine)


def _call_below(calls: int, function: Callable[..., Any], *arguments: Any) -> Any:
    return _call_below(calls - 1, function, *arguments) if calls else function(*arguments)


def _work_out_once(shell: Any, name: str) -> None:
    """Let `shell` keep its answer about a cell until it runs: ipykernel asks for it, and then IPython once more.

    What is asked while a cell runs is worked out anew: the cell may have changed how.
    """
    work_out = getattr(shell, name)
    kept: list[Any] | None = []  # None while a cell runs

    def begin() -> None:
        nonlocal kept
        kept = None

    def end() -> None:
        nonlocal kept
        kept = []

    @functools.wraps(work_out)
    def remembered(*arguments: Any, **options: Any) -> Any:
        if kept is None:
            return work_out(*arguments, **options)
        if kept[:1] != [(arguments, options)]:
            kept[:] = [(arguments, options), work_out(*arguments, **options)]
        return kept[1]

    setattr(shell, name, remembered)
    shell.events.register("pre_execute", begin)
    shell.events.register("post_execute", end)
