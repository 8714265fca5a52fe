"""The hidden tests run by hand: an instructor executes the source notebook, or ``nbgrader validate`` does.

The line in a test cell's hidden part calls `run_hidden_tests`. It runs the very tests that grade a class, but straight
in the notebook's own process, which nobody has to be protected from.
"""

from pathlib import Path
from typing import Any

from proctor import settings
from proctor.border import probe
from proctor.border.submission import Submission, scenario_source
from proctor.errors import CourseError
from proctor.hidden_tests import run_line, session
from proctor.render.cell_outputs import as_html, as_text
from proctor.results.verdict import CellVerdict


def run_hidden_tests(path: str) -> None:
    """Run the file `path`, below the course's ``grader_tests``, on the notebook that calls this, and show the table.

    Raises ``AssertionError`` with the failed items, as a visible check would, and `CourseError` outside of a course.
    """
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import display

    if not InteractiveShell.initialized():
        raise CourseError("run_hidden_tests is for a cell of a notebook")
    shell: Any = InteractiveShell.instance()
    file = run_line.find(_grader_tests(), path)
    items = session.run(file, in_process(shell.user_ns, file.parent), seed=0)
    verdict = CellVerdict(file.stem, sum(item.max_points for item in items), items)
    display({"text/html": as_html(verdict), "text/plain": as_text(verdict)}, raw=True)
    if verdict.points < verdict.max_points:
        raise AssertionError(as_text(verdict))


def _grader_tests() -> Path:
    root = settings.find_root(Path.cwd())
    if root is None:
        raise CourseError(f"{Path.cwd()} is not inside a course: there is no {settings.CONFIG_FILE} here or above")
    return root / settings.read(root).grader_tests


def in_process(names: dict[str, Any], folder: Path) -> Submission:
    """Return a `Submission` on `names` in this very process: for tests of tests, never for students' code."""
    return Submission(lambda request: str(probe.answer(request, names).text), scenario_source(folder))
