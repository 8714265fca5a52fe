"""The grading engine behind the course: hidden tests that student code cannot reach, as plug-ins to stock nbgrader."""

from typing import Any

__all__ = ["run_hidden_tests"]


def __getattr__(name: str) -> Any:
    # Lazy: the warm process and `proctor --help` must not import pytest, and no student's process the grader.
    if name == "run_hidden_tests":
        from proctor.hidden_tests.in_place import run_hidden_tests

        return run_hidden_tests
    raise AttributeError(name)
