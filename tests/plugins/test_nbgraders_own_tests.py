"""The tests that nbgrader ships of grading pass with our parts in place of its own, but for what differs on purpose."""

import os
import subprocess
import sys
from xml.etree import ElementTree

import pytest

# What fails, and why it is meant to; docs/how-a-score-comes-about.md says the same to users.
ON_PURPOSE = {
    "test_side_effects": "what a notebook writes goes with the student's process",
    "test_handle_failure": "a cell of another assignment is an ordinary cell, not the end of the submission",
    "test_handle_failure_single_notebook": "the same",
    "test_add_missing_cells": "a deleted task is put back where it was, not at the end",
}
OURS = """
import nbgrader.preprocessors
import proctor

nbgrader.preprocessors.OverwriteCells = proctor.RestoreLockedCells
nbgrader.preprocessors.SaveAutoGrades = proctor.SaveVerdicts
"""
CONFIG = "import proctor\nc = get_config()\nproctor.configure(c)\n"


@pytest.mark.parametrize(
    "module", ["preprocessors.test_overwritecells", "preprocessors.test_saveautogrades", "apps.test_nbgrader_autograde"]
)
def test_what_nbgrader_promises_holds(module, tmp_path):
    """Scores, timestamps, late penalties, --force, --notebook, kernels, hooks, permissions: as its authors test them."""
    (tmp_path / "ours.py").write_text(OURS)
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    (tmp_path / "migrated").touch()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "ours",
        "-p",
        "no:cacheprovider",
        f"--junitxml={tmp_path}/found.xml",
    ]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path)}
    module = f"nbgrader.tests.{module}"
    subprocess.run([*command, "--pyargs", module], cwd=tmp_path, env=environment, capture_output=True, check=False)
    cases = ElementTree.parse(tmp_path / "found.xml").findall(".//testcase")
    failed = {case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None}
    assert len(cases) > 9
    assert failed == {name for name in ON_PURPOSE if name in {case.get("name") for case in cases}}
