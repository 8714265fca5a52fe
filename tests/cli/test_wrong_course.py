"""What is wrong with a course is said on one line by every command, with the file and what to do."""

import pytest
import tiny_course
from commands import run


@pytest.fixture
def course(released_tiny_course, tmp_path):
    """A course that can be spoilt."""
    return tiny_course.copy(released_tiny_course, tmp_path / "course")


def refused(course, *command):
    """Return the one line that a command says."""
    done = run(course, "proctor", *command)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    "command", [[], ["grade"], ["report"], ["extend"], ["feedback", "--for", "moodle"]], ids=" ".join
)
def test_a_damaged_gradebook_is_no_traceback(course, command):
    """Whatever opens it first."""
    (course / "gradebook.db").write_text("this is no database")
    tiny_course.submit(course, "ada")
    assert "the gradebook cannot be used: file is not a database; back it up" in refused(course, *command)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sede = 5", "has no setting sede: is seed meant?"),
        ("seed = '5'", "seed is '5': it has to be like 0"),
        ("memory = True", "memory is True: it has to be like 2048"),
        ("run_all_cells = 1", "run_all_cells is 1: it has to be like False"),
    ],
)
def test_a_setting_that_is_none_stops_everything(course, line, words):
    """A misspelt seed would grade the class with the default, and one of another kind nobody."""
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.ProctoredExecute.{line}\n")
    said = refused(course)
    assert "nbgrader_config.py: c.ProctoredExecute" in said
    assert words in said


def test_settings_that_are_right_are_let_through(course):
    """A whole number for seconds, a list that is added to, a setting of another class."""
    with (course / "nbgrader_config.py").open("a") as config:
        config.write('\nc.ProctoredExecute.cell_timeout = 20\nc.ProctoredExecute.preload.append("json")\n')
    assert run(course, "proctor").returncode == 0
