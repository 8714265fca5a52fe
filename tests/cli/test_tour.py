"""``proctor`` alone says where a course stands."""

import subprocess
import sys

import pytest
import tiny_course
from commands import run

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
    assert said(course)[1] == f"next: release it: nbgrader generate_assignment {TINY} --create"
    assert run(course, "nbgrader", "generate_assignment", TINY, "--create").returncode == 0
    assert said(course)[1].startswith("next: collect:")
    tiny_course.submit(course, "ada")
    tiny_course.submit(course, "bo")
    assert said(course) == (
        "released; 2 handed in, 0 graded, 0 with a feedback page",
        f"next: grade: proctor grade {TINY}",
    )
    assert run(course, "proctor", "grade").returncode == 0
    assert said(course)[1] == f"next: write the feedback pages: nbgrader generate_feedback {TINY}"
    assert run(course, "nbgrader", "generate_feedback", TINY).returncode == 0
    stands, step = said(course)
    assert stands == "released; 2 handed in, 2 graded, 2 with a feedback page"
    assert f"proctor report {TINY}" in step


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


def test_help_waits_for_nothing():
    """To say what the commands are takes neither nbgrader nor pytest, numpy or a database, whose imports take a second."""
    program = (
        "import sys\nfrom proctor.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'nbgrader', 'pytest', 'numpy', 'sqlalchemy', 'nbconvert'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
