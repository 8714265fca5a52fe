"""What the course puts into nbgrader's autograde pipeline in place of stock parts (see ``nbgrader_config.py``).

`ProctoredExecute` stands where nbgrader's Execute stood: it runs the notebook in a process of the student's own and the
hidden tests outside of it. `SaveVerdicts` saves its points as nbgrader saves others, but marks what is undecided for a
person. Both run inside every nbgrader route: ``nbgrader autograde``, formgrader's button, ``proctor grade``.
"""

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool, Dict, Float, Integer, List, Unicode

from proctor.course.hand_in import strange
from proctor.errors import CourseError, KernelNotStarted, NotSandboxed
from proctor.kernels.manager import CAN_FORK, WarmKernelManager, start_kernel_for
from proctor.kernels.scratch import copy_files, scratch_folder
from proctor.notebook.grade import Limits, grade_notebook
from proctor.notebook.student_kernel import Starter
from proctor.results import verdict
from proctor.sandbox.enforce import Policy
from proctor.sandbox.probes import missing

GO_ON = "Look with `proctor doctor`; to grade all the same, `proctor grade --allow-unsandboxed`."
TRIED = "PROCTOR_LACKING"


def lacking_protections() -> tuple[str, ...]:
    """The essential protections that failed when they were tried, in words; worker processes inherit the answer."""
    if TRIED not in os.environ:
        os.environ[TRIED] = "\n".join(protection.name for protection in missing())
    return tuple(os.environ[TRIED].splitlines())


class ProctoredExecute(NbGraderPreprocessor):  # type: ignore[misc]
    """Run the notebook in the student's process and the hidden tests beside it."""

    cell_timeout = Float(30.0, help="Seconds that one cell may take.").tag(config=True)
    call_timeout = Float(15.0, help="Seconds that one call by a hidden test may take.").tag(config=True)
    notebook_timeout = Float(300.0, help="Seconds that a whole notebook may take.").tag(config=True)
    seed = Integer(0, help="Seed of the hidden tests' inputs: change it every term.").tag(config=True)
    preload = List(Unicode(), help="Modules to import once, before kernels are forked.").tag(config=True)
    grader_tests = Unicode("grader_tests", help="Folder of the hidden tests, below the course.").tag(config=True)
    allow_unsandboxed = Bool(False, help="Grade although this machine cannot protect itself.").tag(config=True)
    known_submissions = Unicode("", help="File of SHA-256 sums of notebooks that need no sandbox.").tag(config=True)
    memory = Integer(2048, help="MB of memory that a notebook may use beyond what a kernel starts with.").tag(
        config=True
    )
    environment = Dict(help="More environment variables of the student's process.").tag(config=True)
    disk = Integer(256, help="MB of files that a notebook may write.").tag(config=True)
    database_timeout = Float(60.0, help="Seconds to wait for a gradebook's server to come back.").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Execute `nb`; nbgrader calls this with the course as the working directory."""
        limits = Limits(self.cell_timeout, self.call_timeout, self.notebook_timeout)
        submission = Path(resources["metadata"]["path"] or ".")
        handed_in = self._submitted(resources["nbgrader"])
        said = strange(handed_in)
        if said:
            raise CourseError(f"{handed_in}: {said}")  # nbgrader then removes what it has copied
        with scratch_folder() as scratch:
            copy_files(submission, scratch)
            starter = self._starter(scratch, resources["nbgrader"])
            verdicts = grade_notebook(nb, starter, Path(self.grader_tests), self.seed, limits)
        for found in verdicts:
            for note in found.notes:
                self.log.warning("%s: %s", found.grade_id, note)
        if self._missing:
            said = f"not sandboxed: could {', '.join(self._missing)}"
            self.log.warning(said)
            nb.metadata.setdefault("proctor", {})["unprotected"] = said
        return nb, resources

    def _starter(self, scratch: Path, about: Any) -> Starter:
        """How this student's kernels start. What the sandbox lacks on this machine ends up in ``_missing``."""
        policy = Policy(
            str(scratch), memory=self.memory << 20, disk_total=self.disk << 20,
            cpu_seconds=int(self.notebook_timeout), environment=dict(self.environment),
        )  # fmt: skip
        allowed = self.allow_unsandboxed or self._is_known(about)
        self._missing: tuple[str, ...] = ()

        def start() -> WarmKernelManager:
            if CAN_FORK and TRIED not in os.environ:
                try:
                    return start_kernel_for(policy, self.preload)
                except KernelNotStarted as refused:
                    if NotSandboxed.__name__ not in str(refused):
                        raise
            lacking = lacking_protections()
            if lacking and not allowed:
                raise NotSandboxed(f"this machine cannot stop student code that would {', '.join(lacking)}. {GO_ON}")
            self._missing = lacking
            # A layer is missing, but the others may do its work: what counts is what was tried and refused.
            return start_kernel_for(replace(policy, allow_missing=True), self.preload)

        return start

    def _is_known(self, about: Any) -> bool:
        """Whether the submitted notebook is, byte for byte, one that we ship: the first command works everywhere."""
        if not self.known_submissions:
            return False
        folder = self._submitted(about)
        # Nothing else may come with it: the notebook would import a file that is called like a module.
        if any(path.suffix != ".ipynb" and path.name != "timestamp.txt" for path in folder.iterdir()):
            return False
        listed = Path(CourseDirectory(config=self.config).root) / self.known_submissions
        sums = listed.read_text(encoding="ascii").split() if listed.is_file() else []
        return hashlib.sha256((folder / f"{about['notebook']}.ipynb").read_bytes()).hexdigest() in sums

    def _submitted(self, about: Any) -> Path:
        course = CourseDirectory(config=self.config)
        return Path(course.format_path(course.submitted_directory, about["student"], about["assignment"]))


class SaveVerdicts(SaveAutoGrades):  # type: ignore[misc]
    """Save the points of each cell; a cell with an undecided item waits for a person, with the points of the others."""

    def _add_score(self, cell: Any, resources: Any) -> None:
        super()._add_score(cell, resources)
        found = verdict.read(cell)
        if found is not None and found.undecided:
            name = cell.metadata["nbgrader"]["grade_id"]
            grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
            grade.needs_manual_grade = True
            self.gradebook.db.commit()
