"""One mistake costs one exercise: what its calls have used up in kernels and time is not taken from the next one."""

import pytest

from proctor.errors import KernelDied, StudentFault, TooSlow
from proctor.notebook import process
from proctor.notebook.cell_run import CellRun
from proctor.notebook.process import Limits, NotebookProcess


class DyingKernel:
    """A kernel that runs every cell and ends at every call."""

    in_line = 0.0

    def run_cell(self, code, timeout):
        return CellRun()

    def call(self, request, timeout):
        raise KernelDied

    def is_alive(self):
        return True

    def end(self):
        """Nothing is left to end."""


@pytest.fixture(autouse=True)
def dying_kernels(monkeypatch):
    """No process is started."""
    monkeypatch.setattr(process.StudentKernel, "start", lambda starter, until: DyingKernel())


def test_each_exercise_has_its_own_kernels():
    """After "it ended too often" in one exercise, the next one is asked again."""
    notebook = NotebookProcess(None, Limits(kernels=2), exercises=2)
    for why in ("", "", "too often", "too often"):
        with pytest.raises(KernelDied) as died:
            notebook.call("{}")
        assert died.value.why == why
    notebook.next_exercise()
    with pytest.raises(KernelDied) as died:
        notebook.call("{}")
    assert died.value.why == ""


def test_harm_uses_up_only_the_time_of_its_exercise():
    """A new kernel is started within the exercise's share of the notebook's time; the first one always is."""
    notebook = NotebookProcess(None, Limits(notebook=300), exercises=10**12)
    for _ in range(2):
        with pytest.raises(KernelDied):
            notebook.call("{}")
        with pytest.raises(TooSlow):
            notebook.call("{}")
        notebook.next_exercise()


def test_running_cells_again_is_on_the_same_clock(monkeypatch):
    """A new kernel does not get the whole notebook's cells for free: past the notebook's time limit it is over."""
    now = iter(range(10**6))
    monkeypatch.setattr(process.time, "monotonic", lambda: next(now))
    notebook = NotebookProcess(None, Limits(notebook=800))
    for number in range(250):
        notebook.run_cell("pass", str(number))
    ends = []
    for _ in range(8):
        try:
            notebook.call("{}")
        except StudentFault as error:
            ends.append(type(error))
    assert ends[0] is KernelDied
    assert ends[-1] is TooSlow
    assert next(now) < 850
