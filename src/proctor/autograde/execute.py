"""What the course puts into nbgrader's autograde pipeline in place of stock parts (see ``nbgrader_config.py``).

`ProctoredExecute` stands where nbgrader's Execute stood: it runs the notebook in a process of the student's own and the
hidden tests outside of it. `SaveVerdicts` saves its points as nbgrader saves others, but marks what is undecided for a
person. Both run inside every nbgrader route: ``nbgrader autograde``, formgrader's button, ``proctor grade``.
"""

import hashlib
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel, get_kernel_spec
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool, Dict, Float, Integer, List, Unicode

from proctor.course.submitted_folder import no_submission
from proctor.errors import CourseError, KernelNotStarted, NotSandboxed
from proctor.kernels.manager import WarmKernelManager, start_kernel_for
from proctor.notebook.grade import grade_notebook, leave_undecided
from proctor.notebook.handed_in import HandedIn, count_outputs, keep_outputs, ungraded_from
from proctor.notebook.process import Limits
from proctor.notebook.student_kernel import Starter
from proctor.render import words
from proctor.repair.read import outputs_of
from proctor.results import in_notebook
from proctor.results.flag import Flag
from proctor.sandbox import machine
from proctor.sandbox.policy import Policy
from proctor.sandbox.scratch import copy_files, scratch_folder
from proctor.settings import Settings

# What nbgrader promises to notebooks that ask how they are run.
FOR_NOTEBOOKS = {"NBGRADER_EXECUTION": "autograde"}
# Kernels that are often met, by what their names begin with.
OTHER_KERNELS = re.compile(
    r"(?:ir|xr|julia|octave|matlab|bash|sagemath|sos|xcpp|java|deno|scala|rust|ruby|stata|sas)(?![a-z])"
)
GO_ON = "Look with `proctor doctor`; to grade all the same, `proctor grade --allow-unsandboxed`."


def _trait(kind: Any, name: str) -> Any:
    """A setting as nbgrader wants it, with the default and the words of `Settings`."""
    declared = next(entry for entry in fields(Settings) if entry.name == name)
    return kind(getattr(Settings(), name), help=declared.metadata["help"]).tag(config=True)


def _expect_python(nb: Any, name: str) -> None:
    """Refuse a notebook in another language: as Python, it would earn nothing. The kernel is the source notebook's."""
    kernel = nb.metadata.get("kernelspec", {})
    told = nb.metadata.get("language_info", {}).get("name")  # by the submission
    language = str(kernel.get("language") or _language_of(str(kernel.get("name", ""))) or told or "python")
    if language.lower() not in ("python", "python3", "ipython"):
        raise CourseError(
            f"{name}: its kernel is {kernel.get('name')!r} ({language}), and proctor runs Python only; docs/authors.md "
            "says how nbgrader's own Execute grades it"
        )


def _language_of(kernel: str) -> str | None:
    """The language of a kernel whose notebook does not say it: of one that is known here, or known by its name."""
    try:
        return str(get_kernel_spec(kernel).language)
    except NoSuchKernel:
        known = OTHER_KERNELS.match(kernel)
        return known[0] if known else None


def _outputs_of(path: Path) -> HandedIn:
    """The outputs in a submitted notebook. nbgrader has cleared those in its own copy by now."""
    try:
        return outputs_of(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # another exporter may have read what ours cannot
        return {}


class ProctoredExecute(NbGraderPreprocessor):  # type: ignore[misc]
    """Run the notebook in the student's process and the hidden tests beside it."""

    cell_timeout = _trait(Float, "cell_timeout")
    call_timeout = _trait(Float, "call_timeout")
    notebook_timeout = _trait(Float, "notebook_timeout")
    seed = _trait(Integer, "seed")
    preload = _trait(List, "preload")
    grader_tests = _trait(Unicode, "grader_tests")
    allow_unsandboxed = _trait(Bool, "allow_unsandboxed")
    known_submissions = _trait(Unicode, "known_submissions")
    memory = _trait(Integer, "memory")
    environment = _trait(Dict, "environment")
    disk = _trait(Integer, "disk")
    run_all_cells = _trait(Bool, "run_all_cells")
    database_timeout = _trait(Float, "database_timeout")

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Execute `nb`; nbgrader calls this with the course as the working directory."""
        _expect_python(nb, resources["nbgrader"]["notebook"])
        in_notebook.mark_executed(nb.metadata)
        stock = self.config.get("Execute", {})
        limits = Limits(self._seconds_for_a_cell(stock), self.call_timeout, self.notebook_timeout)
        submission = Path(resources["metadata"]["path"] or ".")
        handed_in = self._submitted(resources["nbgrader"])
        reason = no_submission(handed_in, resources["nbgrader"]["student"])
        if reason:
            raise CourseError(f"{handed_in}: {reason}")  # nbgrader then removes what it has copied
        notebook = handed_in / f"{resources['nbgrader']['notebook']}.ipynb"
        if not stock.get("enabled", True):  # ``nbgrader autograde --no-execute``
            count_outputs(nb.cells, _outputs_of(notebook), limits.output)
            leave_undecided(nb)
            return nb, resources
        with scratch_folder() as scratch:
            # Of what was handed in, formgrader's copy has only what it may serve; of what is in both, that copy holds.
            copy_files(handed_in, scratch, leave_out=".ipynb")
            copy_files(submission, scratch, leave_out=".ipynb")
            starter = self._starter(scratch, resources["nbgrader"])
            end = len(nb.cells) if self.run_all_cells else ungraded_from(nb.cells)
            verdicts = grade_notebook(nb, starter, Path(self.grader_tests), self.seed, limits, end, submission)
        if end < len(nb.cells):
            keep_outputs(nb.cells[end:], _outputs_of(notebook), limits.output)
        for verdict in verdicts:
            for flag in verdict.flags:
                self.log.warning("%s: %s", verdict.grade_id, words.flag(flag))
        if self._missing:
            flag = Flag("unsandboxed", names=self._missing)
            self.log.warning(words.flag(flag))
            in_notebook.add_flags(nb.metadata, [flag])
        return nb, resources

    def _seconds_for_a_cell(self, stock: Any) -> float:
        """Ours, or nbgrader's own ``c.Execute.timeout`` where only that is set (None: as long as the notebook may)."""
        if "timeout" in stock and "cell_timeout" not in self.config.get("ProctoredExecute", {}):
            return float(stock["timeout"] or self.notebook_timeout)
        return float(self.cell_timeout)

    def _starter(self, scratch: Path, metadata: Any) -> Starter:
        """How this student's kernels start. What the sandbox lacks on this machine ends up in ``_missing``."""
        policy = Policy(
            str(scratch), memory=self.memory << 20, disk_total=self.disk << 20,
            cpu_seconds=int(self.notebook_timeout), environment={**FOR_NOTEBOOKS, **self.environment},
        )  # fmt: skip
        allowed = self.allow_unsandboxed or self._is_known(metadata)
        self._missing: tuple[str, ...] = ()

        def start() -> WarmKernelManager:
            if machine.can_fork() and not machine.was_tried():
                try:
                    return start_kernel_for(policy, self.preload)
                except KernelNotStarted as refused:
                    if refused.kind != "not sandboxed":
                        raise
            lacking = machine.lacking()
            if lacking and not allowed:
                raise NotSandboxed(f"this machine cannot stop student code that would {', '.join(lacking)}. {GO_ON}")
            self._missing = lacking
            # A layer is missing, but the others may do its work: what counts is what was tried and refused.
            return start_kernel_for(replace(policy, allow_missing=True), self.preload)

        return start

    def _is_known(self, metadata: Any) -> bool:
        """Whether the submitted notebook is, byte for byte, one that we ship: the first command works everywhere."""
        if not self.known_submissions:
            return False
        folder = self._submitted(metadata)
        # Nothing else may come with it: the notebook would import a file that is called like a module.
        if any(path.suffix != ".ipynb" and path.name != "timestamp.txt" for path in folder.iterdir()):
            return False
        listed = Path(CourseDirectory(config=self.config).root) / self.known_submissions
        sums = listed.read_text(encoding="ascii").split() if listed.is_file() else []
        return hashlib.sha256((folder / f"{metadata['notebook']}.ipynb").read_bytes()).hexdigest() in sums

    def _submitted(self, metadata: Any) -> Path:
        course = CourseDirectory(config=self.config)
        return Path(course.format_path(course.submitted_directory, metadata["student"], metadata["assignment"]))


class SaveVerdicts(SaveAutoGrades):  # type: ignore[misc]
    """Save the points of each cell; a cell with an undecided item waits for a person, with the points of the others."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Save what `nb` got; which cells a repair has left in doubt is in its flags."""
        flags = in_notebook.flags_of(nb.metadata)
        self._in_doubt = {name for flag in flags if flag.kind == "for review" for name in flag.names}
        done: tuple[Any, Any] = super().preprocess(nb, resources)
        return done

    def _add_score(self, cell: Any, resources: Any) -> None:
        super()._add_score(cell, resources)
        verdict = in_notebook.verdict_of(cell)
        name = cell.metadata["nbgrader"]["grade_id"]
        contradicts = verdict is not None and any(flag.kind == "contradiction" for flag in verdict.flags)
        if name in self._in_doubt or contradicts or (verdict is not None and verdict.undecided):
            grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
            grade.needs_manual_grade = True
            self.gradebook.db.commit()
