"""The grading engine behind the course: hidden tests that student code cannot reach, as plug-ins to stock nbgrader.

All public names can be imported from here; what each is for stands in docs/reference.md. In ``nbgrader_config.py``,
``proctor.configure(c)`` puts every part into nbgrader's pipeline.
"""

from importlib import import_module
from typing import Any

# Lazy: `proctor --help` must not import pytest, the warm process not nbgrader, and no student's process the grader.
_PLACES = {
    "run_hidden_tests": "hidden_tests.in_place",
    "configure": "plugins.configure",
    "ProctoredExecute": "autograde.execute",
    "SaveVerdicts": "autograde.execute",
    "RestoreLockedCells": "autograde.restore",
    "DefuseMarkdown": "autograde.defuse",
    "FeedbackExporter": "plugins.feedback",
    "LatePenalties": "plugins.late",
    "PercentPerDay": "plugins.late",
    "ExerciseExport": "plugins.exports",
    "CanvasExport": "plugins.exports",
    "MoodleExport": "plugins.exports",
    "PlatformExtractor": "collect.extractor",
    "PlatformCollector": "collect.collector",
}
__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(f"proctor.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'proctor' has no attribute {name!r}")
