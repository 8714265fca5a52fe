"""Both ends of an assignment: the source earns everything, the release nothing, whatever the seed.

Called by ``proctor check --both-ends``. What can be seen without running anything is `proctor.hidden_tests.slips`.
"""

from collections.abc import Iterator, Sequence

from proctor.course.folders import Course
from proctor.grading import one_notebook
from proctor.results.submission_result import SubmissionResult


def findings(course: Course, assignment: str, seeds: Sequence[int]) -> Iterator[str]:
    """Grade source and release with each of `seeds`, and say what is not as it should be."""
    for step, seed, result in one_notebook.ends(course, assignment, seeds):
        where = f"{step}, seed {seed}: "
        slips = (
            [result.error] if result.error else [*(_less_than_full if step == "source" else _more_than_none)(result)]
        )
        yield from (where + slip for slip in slips)


def _less_than_full(result: SubmissionResult) -> Iterator[str]:
    for cell in result.cells:
        for item in cell.items:
            if item.outcome != "passed":
                yield f"{cell.grade_id}: {item.name} is {item.outcome}"
    for ordinary in result.ordinary:
        if ordinary.points is not None and ordinary.points < ordinary.max_points:
            yield f"{ordinary.grade_id}: {ordinary.points:g} of {ordinary.max_points:g} points"


def _more_than_none(result: SubmissionResult) -> Iterator[str]:
    for cell in result.cells:
        for item in cell.items:
            if item.outcome == "passed":
                yield f"{cell.grade_id}: {item.name} passes, and nothing has been done"
    for ordinary in result.ordinary:
        if ordinary.points:
            yield f"{ordinary.grade_id}: {ordinary.points:g} points, and nothing has been done"
