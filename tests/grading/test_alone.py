"""Whatever a limit on time has ended beside others is graded once more, alone, before it costs points."""

from concurrent.futures import Future
from pathlib import Path

import pytest

from proctor.course import folders as courses
from proctor.errors import KernelNotStarted, TookTooLong
from proctor.grading import class_run, student
from proctor.grading.class_run import ClassRun, grade
from proctor.records.memory import recall
from proctor.results.flag import Flag
from proctor.results.submission_result import SubmissionResult

CROWDED = Flag("too slow", "1", seconds=30.0, crowded=True)
ITS_OWN_DOING = Flag("too slow", "1", seconds=30.0)


class Executor:
    """Runs no job: it answers for the grader with what a test says comes of each student, first and then alone."""

    def __init__(self, width, say):
        self.width, self.say = width, say

    def submit(self, function, root, assignment, student, settings, common, alone):
        future = Future()
        try:
            future.set_result(self.say(student, alone))
        except Exception as error:  # noqa: BLE001 - what a job raises
            future.set_exception(error)
        return future

    def shutdown(self, **_):
        pass


@pytest.fixture
def graded(tiny):
    """Grade students whose results `say` makes; return what came of each, and who was graded alone, in order."""

    def run(students, say, jobs=2):
        alone = []

        def ask(student, by_itself):
            if by_itself:
                alone.append(student)
            return say(student, by_itself)

        todo = ClassRun(courses.load(tiny), "tiny", list(students))
        results = list(grade(todo, jobs, lambda width: Executor(width, ask)))
        assert sorted(result.student for result in results) == sorted(students), "each is reported once"
        return {result.student: result for result in results}, alone

    return run


def result(student, *flags, **more):
    """A result with flags."""
    return SubmissionResult(student, flags=flags, **more)


def test_a_crowded_submission_is_graded_once_more(graded):
    """And what comes of it alone is what counts; nobody else is graded twice."""
    found, alone = graded(
        ["ada", "bo", "cy"],
        lambda who, alone: result(who, *({"bo": [CROWDED], "cy": [ITS_OWN_DOING]}.get(who, []) if not alone else [])),
    )
    assert alone == ["bo"]
    assert found["bo"].flags == ()
    assert found["cy"].flags == (ITS_OWN_DOING,)


@pytest.mark.parametrize("error", [TookTooLong("stopped"), None])
def test_so_is_one_that_could_not_be_graded_in_time(graded, error):
    """The last stop, or a kernel that was not there in time."""

    def say(who, alone):
        if alone or who != "bo":
            return result(who)
        if error is not None:
            raise error
        return result(who, error="no kernel", out_of_time=True)

    found, alone = graded(["ada", "bo"], say)
    assert alone == ["bo"]
    assert not found["bo"].error


def test_once_is_enough(graded):
    """What is too slow alone is too slow."""
    found, alone = graded(["ada", "bo"], lambda who, alone: result(who, CROWDED))
    assert sorted(alone) == ["ada", "bo"]
    assert all(found[who].flags == (CROWDED,) for who in found)


def test_one_at_a_time_is_alone_already(graded):
    """With ``--jobs 1`` nothing is graded twice."""
    _, alone = graded(["ada", "bo"], lambda who, alone: result(who, CROWDED), jobs=1)
    assert alone == ["ada", "bo"]


def test_attackers_do_not_double_the_time_of_a_class(tiny, monkeypatch):
    """The quick ones first, as long as the share lasts; the others keep what they have got."""
    clock, alone = [0.0], []
    takes = {"slowest": 500.0, "slower": 140.0, "honest": 40.0, "slow": 100.0}
    monkeypatch.setattr(class_run.time, "monotonic", lambda: clock[0])

    def say(who, by_itself):
        clock[0] += takes[who]
        alone.append(who)
        return result(who)

    crowded = [class_run._Done(seconds, result(who, CROWDED)) for who, seconds in takes.items()]
    found = list(class_run._alone(ClassRun(courses.load(tiny), "tiny", []), crowded, 60.0, lambda _: Executor(1, say)))
    assert alone == ["honest", "slow"]
    assert {one.student: one.crowded for one in found} == {
        "honest": False,
        "slow": False,
        "slower": True,
        "slowest": True,
    }


def test_a_crowded_result_is_remembered_only_when_it_was_alone(tiny, monkeypatch):
    """Should the command end before the second try, the next one grades it."""
    monkeypatch.setattr(student, "refusal", lambda *_: "")
    monkeypatch.setattr(student, "_autograde", lambda course, assignment, who: result(who, CROWDED))
    for alone, remembered in ((False, False), (True, True)):
        student.grade_student(str(tiny), "tiny", "ada", {}, alone=alone)
        assert (recall(courses.load(tiny), "tiny", "ada") is not None) == remembered


def test_limits_on_time_are_told_from_other_reasons():
    """A kernel that did not start for another reason would not start alone either."""
    late = [TookTooLong("x"), KernelNotStarted("too slow"), KernelNotStarted("no answer")]
    other = [KernelNotStarted("not forked"), KernelNotStarted("no import"), ValueError("x"), OSError(Path("x"))]
    assert all(map(student._is_about_time, late))
    assert not any(map(student._is_about_time, other))
