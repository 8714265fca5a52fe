"""The tests that nbgrader ships of grading pass with our parts in place of its own, but for what differs on purpose."""

import os
import subprocess
import sys
from xml.etree import ElementTree

# What fails, and why it is meant to; docs/how-a-score-comes-about.md says the same to users.
EMPTY = "a notebook with nothing of the release is refused by name, and gets no 0"
ANOTHER = "a cell of another assignment is an ordinary cell, not the end of the submission"
ON_PURPOSE = {
    "test_handle_failure": ANOTHER,
    "test_handle_failure_single_notebook": ANOTHER,
    "test_update_newer": EMPTY,
    "test_update_newer_single_notebook": EMPTY,
    "test_force_single_notebook": EMPTY,
}
OURS = """
import nbgrader.preprocessors
import proctor

nbgrader.preprocessors.SaveAutoGrades = proctor.SaveVerdicts
"""
# Its notebooks hold cells that give no points, of which it looks at what they do.
CONFIG = "import proctor\nc = get_config()\nproctor.configure(c)\nc.ProctoredExecute.run_all_cells = True\n"


# OverwriteCells alone is tried on single cells, which are no notebook that could be repaired: tests/grading does that.
MODULES = ("preprocessors.test_saveautogrades", "apps.test_nbgrader_autograde")
# These ask which files are graded and how they are copied, which is nbgrader's own doing here, or ask once more what the
# others ask, and take minutes: they run on request.
EVERYDAY = (
    "not (autotest or newer or single_notebook or force_f or skip_extra or permissions or overwrite_files or late"
)
EVERYDAY += " or id_exclude or missing_student or missing_assignment)"
ALL = bool(os.environ.get("PROCTOR_ALL_OF_NBGRADER"))


def test_what_nbgrader_promises_holds(tmp_path):
    """Scores, restored cells, time limits, kernels, what is forged or fails: as its authors test them."""
    (tmp_path / "ours.py").write_text(OURS)
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    (tmp_path / "migrated").touch()
    report = tmp_path / "found.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "ours",
        "-p",
        "no:cacheprovider",
        f"--junitxml={report}",
        *([] if ALL else ["-k", EVERYDAY]),
    ]
    modules = [f"nbgrader.tests.{module}" for module in MODULES]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run(
        [*command, "--pyargs", *modules], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    cases = ElementTree.parse(report).findall(".//testcase")
    failed = {case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None}
    assert len(cases) > (35 if ALL else 15)
    assert failed == set(ON_PURPOSE) & {case.get("name") for case in cases}, done.stdout[-5000:]
