"""The student's process over the length of a notebook: one kernel after another, as far as they are needed.

Driven by `proctor.notebook.grade`. A kernel that ends, hangs or floods costs the cell or the call that did it: the next
one gets a new kernel in which the cells above that did no harm have been run again.
"""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from proctor.errors import KernelDied, StudentFault, TooSlow
from proctor.hidden_tests.explain import fault_of
from proctor.notebook.cell_run import MAX_CHARACTERS, CellRun, End, remark
from proctor.notebook.fair_clock import CROWDED
from proctor.notebook.student_kernel import Starter, StudentKernel
from proctor.render import words
from proctor.results.flag import Flag, FlagKind
from proctor.settings import Settings

MAX_FLAGS = 20  # of one test cell
DEFAULTS = Settings()


@dataclass(frozen=True)
class Limits:
    """Seconds for a cell and for one call of a hidden test, as `FairClock` counts them; of wall clock for a notebook.

    And the kernels that one exercise may use up, and of a whole notebook the bytes of `output` that are kept, and the
    `characters` of text in them: a page of them is parsed by whoever shows it.
    """

    cell: float = DEFAULTS.cell_timeout
    call: float = DEFAULTS.call_timeout
    notebook: float = DEFAULTS.notebook_timeout
    kernels: int = 8
    output: int = 16 << 20
    characters: int = MAX_CHARACTERS


HARM: dict[End, FlagKind] = {"died": "ended kernel", "too slow": "too slow", "flood": "flood"}
# What the sandbox or a limit kept from a student's code, told by the exception: worth a look by a person.
REFUSED: dict[FlagKind, re.Pattern[str]] = {
    "memory": re.compile(r"MemoryError|ResourceExhaustedError"),
    # IPython does not find the shell that starts a program for `!`.
    "forbidden": re.compile(r"PermissionError|Operation not permitted|name resolution|shell not found"),
    "file missing": re.compile(r"FileNotFoundError|No such file or directory"),
}
# What multiprocessing says where it cannot make its locks: no file is named.
NO_LOCKS = re.compile(r"^FileNotFoundError: \[Errno 2\] No such file or directory$", re.MULTILINE)


class NotebookProcess:
    """The student's process over the length of a notebook: one kernel after another, as far as they are needed."""

    def __init__(self, starter: Starter, limits: Limits, exercises: int = 1) -> None:
        self._starter = starter
        self._limits = limits
        self._kernel: StudentKernel | None = None
        self._harmless: list[tuple[str, str]] = []  # names and code of the cells to run again in a new kernel
        self._started = 0  # kernels of this exercise
        self._share = limits.notebook / max(1, exercises)
        self._exercise_began = time.monotonic()
        self._deadline = time.monotonic() + limits.notebook
        self._flags: list[Flag] = []
        self._written = self._characters = 0
        self._in_line = 0.0  # seconds for which the kernels that have ended waited for a processor

    def run_cell(self, code: str, name: str) -> CellRun:
        """Run a cell of the notebook; remember it for the next kernel unless it did harm."""
        try:
            run = self._run(code)
        except StudentFault as error:
            return CellRun("error", [remark(words.not_run(fault_of(error)))])
        if run.end in HARM:
            self._forget_kernel()
            seconds = self._limits.cell if run.end == "too slow" else 0.0
            flag = Flag(HARM[run.end], name, seconds=seconds, crowded=run.crowded)
            self._flags.append(flag)
            run.outputs.append(remark(words.new_kernel(flag)))
        else:
            self._harmless.append((name, code))
            raised = (f"{output.ename}: {output.evalue}" for output in run.outputs if output.output_type == "error")
            self._flags += [Flag(kind, name) for kind in refused(raised)]
        self._written += run.size
        self._characters += run.characters
        if self._written > self._limits.output or self._characters > self._limits.characters:
            run.leave_out(remark(words.LEFT_OUT))
        return run

    def _run(self, code: str) -> CellRun:
        self._bury()
        return self._ready().run_cell(code, self._time_for(self._limits.cell))

    def _bury(self) -> None:
        """A kernel that is dead before anything was asked of it is the doing of the last cell that it ran."""
        if self._kernel is None or self._kernel.is_alive():
            return
        self.end()
        if self._harmless:
            name, _ = self._harmless.pop()
            self._flags.append(Flag("ended kernel", name))

    def is_running(self) -> bool:
        """Whether a kernel is there, so that nothing has to be run again to ask it."""
        return self._kernel is not None and self._kernel.is_alive()

    def call(self, request: str) -> str:
        """Be the transport of a `Submission`."""
        limit = self._time_for(self._limits.call)
        self._bury()
        try:
            return self._ready().call(request, limit)
        except (TooSlow, KernelDied) as error:
            self._forget_kernel()
            crowded = isinstance(error, TooSlow) and error.crowded
            self._flags.append(Flag("no answer", in_hidden_test=True, fault=fault_of(error), crowded=crowded))
            raise

    def take_flags(self) -> tuple[Flag, ...]:
        """What happened since the last call of this, without the rest of a flood."""
        flags, self._flags = tuple(self._flags[:MAX_FLAGS]), []
        return flags

    def next_exercise(self) -> None:
        """A test cell is done: what its exercise has used up in kernels and time is not the next one's fault."""
        self._started = 0
        self._exercise_began = time.monotonic()

    def _ready(self) -> StudentKernel:
        self._keep_to_the_deadline()
        if self._kernel is None:
            if self._started >= self._limits.kernels:
                raise KernelDied("too often")
            # An exercise that has done harm may not use up the others' time; one that has not is free to be slow.
            if self._started and time.monotonic() > self._exercise_began + self._share:
                raise TooSlow(self._share)
            self._started += 1
            self._kernel = StudentKernel.start(self._starter, self._deadline)
            self._replay()
        return self._kernel

    def _replay(self) -> None:
        """Bring a new kernel to where the last one was."""
        kernel = self._kernel
        assert kernel is not None
        for position, (_, code) in enumerate(self._harmless):
            self._keep_to_the_deadline()
            if kernel.run_cell(code, self._time_for(self._limits.cell)).end in HARM:
                # It did no harm before and does now: leave it out, too, and start once more.
                del self._harmless[position]
                self._forget_kernel()
                self._ready()
                return

    def _keep_to_the_deadline(self) -> None:
        if time.monotonic() > self._deadline:
            self.end()
            raise TooSlow(self._limits.notebook, crowded=self._in_line >= CROWDED * self._limits.notebook)

    def _time_for(self, limit: float) -> float:
        return max(0.5, min(limit, self._deadline - time.monotonic()))

    def end(self) -> None:
        """End the kernel, if there is one."""
        if self._kernel is not None:
            self._kernel.end()
            self._forget_kernel()

    def _forget_kernel(self) -> None:
        """Know nothing more of a kernel that has ended but how long it has waited."""
        self._in_line += self._kernel.in_line if self._kernel is not None else 0.0
        self._kernel = None


def refused(errors: Iterable[str]) -> list[FlagKind]:
    """Return what the grader kept from a student's code, by the errors that came of it, each once."""
    text = NO_LOCKS.sub("PermissionError", "\n".join(errors))
    return [kind for kind, pattern in REFUSED.items() if pattern.search(text)]
