"""Scripts that no other test runs, because they take long, still find what they import from the engine."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for folder in ("benchmarks", "tools") for path in (ROOT / folder).glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_what_a_script_imports_is_there(script):
    """A module that has moved would be noticed by whoever runs the command of a docs' page."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "proctor":
            for alias in node.names:
                assert _is_there(node.module, alias.name), f"from {node.module} import {alias.name}"


def _is_there(module, name):
    return hasattr(importlib.import_module(module), name) or _importable(f"{module}.{name}")


def _importable(module):
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True
