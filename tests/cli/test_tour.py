"""``proctor`` alone says where a course stands."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import real_course
import tiny_course
from commands import run

ROOT = Path(__file__).parents[2]
REAL = real_course.ASSIGNMENT
TINY = tiny_course.ASSIGNMENT
COMMANDS = ("grade", "check", "report", "extend", "feedback", "doctor", "new")


def said(course):
    """The two lines about the tiny assignment."""
    done = run(course, "proctor")
    assert done.returncode == 0, done.stderr
    name, stands, step, *_ = done.stdout.splitlines()
    assert name == TINY
    return stands.strip(), step.strip()


def test_a_term_from_the_first_to_the_last_step(tmp_path):
    """Each step that is done brings up the next one."""
    course = tiny_course.make(tmp_path / "course")
    assert said(course)[1] == f"next: release it: nbgrader generate_assignment {TINY} --create --force"
    assert run(course, "nbgrader", "generate_assignment", TINY, "--create").returncode == 0
    assert said(course)[1].startswith("next: collect:")
    tiny_course.submit(course, "ada")
    tiny_course.submit(course, "bo")
    assert said(course) == (
        "released; 2 handed in, 0 graded, 0 with a feedback page",
        f"next: grade: proctor grade {TINY}, which also names those who cannot be graded",
    )
    assert run(course, "proctor", "grade").returncode == 0
    assert said(course)[1] == f"next: write the feedback pages: nbgrader generate_feedback {TINY}"
    assert run(course, "nbgrader", "generate_feedback", TINY).returncode == 0
    stands, step = said(course)
    assert stands == "released; 2 handed in, 2 graded, 2 with a feedback page"
    assert f"proctor report {TINY}" in step


def test_a_release_that_the_gradebook_does_not_know_is_none(tmp_path):
    """In a fresh clone there is a release and no gradebook: grading would be refused, and releasing without --force."""
    course = tiny_course.make(tmp_path / "course")
    assert run(course, "nbgrader", "generate_assignment", TINY, "--create").returncode == 0
    (course / "gradebook.db").unlink()
    tiny_course.submit(course, "ada")
    stands, step = said(course)
    assert stands.startswith("not released; 1 handed in")
    assert run(course, *step.removeprefix("next: release it: ").split()).returncode == 0
    assert "next: grade" in said(course)[1]


def test_outside_of_a_course_it_says_so(tmp_path):
    """With what to do, and no traceback."""
    done = run(tmp_path, "proctor")
    assert done.returncode == 2
    assert "not in a course" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_what_it_prints(tmp_path, command):
    """Its help describes it, and gives an example where it takes something."""
    help_text = " ".join(run(tmp_path, "proctor", command, "--help").stdout.split())
    assert "Print" in help_text
    assert f"example: proctor {command}" in help_text or command == "doctor"


@pytest.mark.parametrize("command", sorted({*COMMANDS} - {"doctor"}))
def test_the_example_of_each_command_works_in_a_fresh_clone(tmp_path, command):
    """Its files are there, and it is about an assignment and students that the course comes with."""
    words = shlex.split(run(tmp_path, "proctor", command, "--help").stdout.rpartition("example: ")[2])
    named = [word for word in words if "/" in word and not word.startswith("~")]
    assert not [word for word in named if not (ROOT / word).exists()]
    ours = [word for word in words[2:] if word.startswith("sample-")]
    assert not [student for student in ours if not (ROOT / "submitted" / student).is_dir()]
    assert named or ours or REAL in words or command == "new"
    assert TINY not in words


def test_help_waits_for_nothing():
    """To say what the commands are takes neither nbgrader nor pytest, numpy or a database, whose imports take a second."""
    program = (
        "import sys\nfrom proctor.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'nbgrader', 'pytest', 'numpy', 'sqlalchemy', 'nbconvert'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
