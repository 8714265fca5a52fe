"""Hidden tests become items: passed, failed with a hint, or undecided."""

from pathlib import Path

import pytest

from proctor.errors import CourseError, HiddenTestsBroken, StudentRaised
from proctor.hidden_tests import run_line, session
from proctor.hidden_tests.explain import fault_of
from proctor.hidden_tests.in_place import in_process
from proctor.render import words


def run(folder: Path, tests: str, **names: object):
    """Run the hidden tests `tests` on a notebook that defines `names`."""
    file = folder / "test_it.py"
    file.write_text("import pytest\n" + tests)
    return session.run(file, in_process(names, folder), seed=1)


def test_an_assertion_fails_with_its_hint_and_nothing_else(tmp_path):
    """The student reads the hint, never the values that were compared."""
    (item,) = run(
        tmp_path, "@pytest.mark.points(2)\ndef test_a():\n    '''Asked.'''\n    assert 12345 == 0, 'look there'"
    )
    assert (item.asked, item.outcome, item.hint, item.points, item.max_points) == (
        "Asked.",
        "failed",
        "look there",
        0,
        2,
    )


def test_an_error_of_the_test_is_undecided(tmp_path):
    """A bug of ours never counts as the student's mistake and never gives points."""
    (item,) = run(tmp_path, "@pytest.mark.points(2)\ndef test_a():\n    1 / 0")
    assert (item.outcome, item.points) == ("undecided", 0)
    assert "not your mistake" in words.message(item)


@pytest.mark.parametrize("body", ["pytest.skip('no')", "pytest.fail('no')", "raise SystemExit", "pytest.exit('no')"])
def test_no_way_out_of_a_test_passes_it(tmp_path, body):
    """Only a test that ran to its end has passed."""
    items = run(
        tmp_path, f"@pytest.mark.points(1)\ndef test_a():\n    {body}\n@pytest.mark.points(1)\ndef test_b():\n    pass"
    )
    assert items[0].outcome != "passed"
    assert len(items) == 2


def test_a_failing_setup_is_undecided(tmp_path):
    """Fixtures are ours, too."""
    tests = "@pytest.fixture\ndef f(): 1 / 0\n@pytest.mark.points(1)\ndef test_a(f): pass"
    assert run(tmp_path, tests)[0].outcome == "undecided"


def test_a_fixture_may_ask_the_student(tmp_path):
    """What several tests share is asked once, and the student's fault there is the student's in each."""
    tests = (
        "@pytest.fixture(scope='module')\ndef answer(submission, rng_for): return submission.f(rng_for('x').random())\n"
        "@pytest.mark.points(1)\ndef test_a(answer): pass\n@pytest.mark.points(1)\ndef test_b(answer): pass\n"
    )
    asked = []
    assert [item.outcome for item in run(tmp_path, tests, f=asked.append)] == ["passed", "passed"]
    assert len(asked) == 1
    assert [item.outcome for item in run(tmp_path, tests, f=3)] == ["failed", "failed"]


def test_a_file_may_be_run_again(tmp_path):
    """Nothing of what was found before is left: no hint at a passed test, no point for one that is not decided."""
    file, answers = tmp_path / "test_it.py", iter([0, 1, 2])
    file.write_text(
        "import pytest\n@pytest.mark.points(1)\ndef test_a(submission):\n    found = submission.f()\n"
        "    assert found, 'look there'\n    if found == 2: pytest.exit('no')"
    )
    notebook = in_process({"f": lambda: next(answers)}, tmp_path)
    found = session.session([file], notebook, 1, lambda run_file: [run_file(file)[0] for _ in range(3)])
    assert [(item.outcome, item.hint) for item in found] == [
        ("failed", "look there"),
        ("passed", ""),
        ("undecided", ""),
    ]


def test_a_failing_teardown_is_undecided(tmp_path):
    """A test whose clean-up fails has not passed."""
    tests = "@pytest.fixture\ndef f():\n    yield\n    1 / 0\n@pytest.mark.points(1)\ndef test_a(f): pass"
    assert run(tmp_path, tests)[0].outcome == "undecided"


@pytest.mark.parametrize("tests", ["def test_a(): pass", "def broken(:", "x = 1", "import nowhere"])
def test_a_file_that_cannot_be_used_is_named(tmp_path, tests):
    """No points, no tests, no syntax: the author is told which file."""
    with pytest.raises(HiddenTestsBroken, match=r"test_it\.py"):
        run(tmp_path, tests)


def test_inputs_are_the_same_in_every_run_and_differ_between_tests(tmp_path):
    """Random inputs depend on the seed and the test's name only."""
    tests = "".join(
        f"@pytest.mark.points(1)\ndef test_{n}(rng, submission): submission.note(rng.random())\n" for n in "ab"
    )
    seen = []
    for _ in range(2):
        run(tmp_path, tests, note=seen.append)
    assert seen[:2] == seen[2:]
    assert seen[0] != seen[1]


def test_neighbours_are_imported_anew(tmp_path):
    """A second assignment's `reference` is not the first one's."""
    for name, value in (("one", 1), ("two", 2)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "reference.py").write_text(f"value = {value}")
        tests = f"import reference\n@pytest.mark.points(1)\ndef test_a(): assert reference.value == {value}"
        assert run(folder, tests)[0].outcome == "passed"


def test_what_the_student_raised_is_told_with_advice(tmp_path):
    """The hint is the exception, in the student's words, and what it usually means here."""
    (tmp_path / "hints.py").write_text(
        "def advice(kind, text, remark): return 'Call it.' if 'callable' in text else None"
    )
    (item,) = run(tmp_path, "@pytest.mark.points(1)\ndef test_a(submission): submission.f(3)", f=3)
    assert item.outcome == "failed"
    assert item.fault.name == "TypeError"
    assert item.hint == "Call it."


@pytest.mark.parametrize("kind", ["ValueError", "Leak123.456", "TypeError"])
def test_a_raised_message_carries_no_inputs_out(kind):
    """Numbers that a student puts into an exception do not reach the feedback."""
    sentence = words.fault(fault_of(StudentRaised(kind, "inputs 0.123456 and 7.5e-3", "loss", 2)))
    assert not set("3456789") & set(sentence.replace("line 2", ""))


def test_a_cell_is_split_at_its_hidden_region():
    """The visible part stays, the hidden part only names a file."""
    source = 'a = 1\n### BEGIN HIDDEN TESTS\nimport proctor; proctor.run_hidden_tests("x/test_y.py")\n### END HIDDEN TESTS\nb = 2'
    visible, path = run_line.split(source)
    assert (visible.split(), path) == (["a", "=", "1", "b", "=", "2"], "x/test_y.py")
    assert run_line.split("a = 1") == ("a = 1", None)


@pytest.mark.parametrize("path", ["../secret.py", "/etc/passwd", "nowhere.py"])
def test_only_files_below_grader_tests_are_run(tmp_path, path):
    """A cell cannot name a file elsewhere."""
    with pytest.raises(CourseError, match="no such hidden test file"):
        run_line.find(tmp_path, path)


def test_a_hidden_region_is_found_in_any_text():
    """Only a region that begins and ends counts, and a long text of a student's takes no longer than it is long."""
    line = 'import proctor; proctor.run_hidden_tests("tiny/test_it.py")'
    cell = f"a = 1\n### BEGIN HIDDEN TESTS\n{line}\n### END HIDDEN TESTS\nb = 2"
    assert run_line.split(cell) == ("a = 1\n\nb = 2", "tiny/test_it.py")
    assert run_line.split(cell.removesuffix("\nb = 2")) == ("a = 1\n", "tiny/test_it.py")
    for text in (
        "",
        "a = 1",
        "BEGIN HIDDEN TESTS",
        f"BEGIN HIDDEN TESTS\n{line}",
        "# BEGIN HIDDEN TESTS END HIDDEN TESTS",
    ):
        assert run_line.split(text) == (text, None)
    long = "BEGIN HIDDEN TESTS\n" * 200_000
    assert run_line.split(long) == (long, None)


@pytest.mark.parametrize("answer", [10**300, "no number", [1, 2], {"a": 1}, None])
def test_an_answer_of_another_kind_counts_against_the_answer(tmp_path, answer):
    """A hidden test that can do nothing with an answer fails it: what a student returns does not make it undecided."""
    tests = "@pytest.mark.points(1)\ndef test_a(submission):\n    assert float(submission.f()) ** 2 < 5\n"
    (item,) = run(tmp_path, tests, f=lambda: answer)
    assert (item.outcome, item.fault.kind) == ("failed", "misfit")
    assert "another kind" in words.message(item)


def test_the_same_error_before_any_answer_is_ours(tmp_path):
    """Nothing of the student's was there yet, so it cannot be the student's mistake."""
    tests = "@pytest.mark.points(1)\ndef test_a(submission):\n    int('x')\n    submission.f()\n"
    assert run(tmp_path, tests, f=lambda: 1)[0].outcome == "undecided"
