"""Every command on a page is run: here, on a small course in the order of a term, or by the test that is named."""

import shlex

import pages
import pytest
import tiny_course
from commands import run
from course_files import ASSIGNMENT, ROOT

TINY = tiny_course.ASSIGNMENT
ROSTER = "id,first_name,last_name,email,lms_user_id\nbo,Bo,Ek,bo@example.org,42\n"

# A term in order, with the tiny course's name in place of the assignment's.
HERE = [
    "proctor doctor",
    "nbgrader db student add ada --first-name=Ada --last-name=Lovelace --email=ada@example.org",
    "nbgrader db student import students.csv",
    f'nbgrader db assignment add {ASSIGNMENT} --duedate="2027-01-31 23:59 UTC"',
    f"proctor grade {ASSIGNMENT}",
    f"proctor report {ASSIGNMENT}",
    f"nbgrader generate_feedback {ASSIGNMENT} --force",
    f"proctor grade {ASSIGNMENT} --student ada --force",
    f"proctor grade {ASSIGNMENT} --force",
    'for student in submitted/sample-*/; do nbgrader db student remove "$(basename "$student")" --force; done',
    "rm -r submitted/sample-* autograded/sample-* feedback/sample-*",
]
# Where another command is run, and the words by which it is found there.
EXPORTS = "tests/plugins/test_exports.py"
EXCHANGE = "tests/exchange/test_exchange.py"
ELSEWHERE = {
    "make grade": ("Makefile", "\ngrade: "),
    "make test": (".ci/run", "make test"),
    "source .venv/bin/activate": ("Makefile", "$(VENV)/bin:$(PATH)"),
    "python -m venv .venv": ("Makefile", "-m venv --clear $(VENV)"),
    "pip install -r requirements.txt": ("tests/exchange/test_without_nbgrader.py", "requirements.txt"),
    "jupyter lab": ("tests/support/lab.py", '"jupyter", "lab"'),
    f"nbgrader generate_assignment {ASSIGNMENT} --create --force": (
        "tests/assignment/test_sample_class.py", '"generate_assignment", ASSIGNMENT, "--create", "--force"'),
    f"nbgrader release_assignment {ASSIGNMENT}": (EXCHANGE, '"release_assignment"'),
    f"nbgrader fetch_assignment {ASSIGNMENT}": (EXCHANGE, '"fetch_assignment"'),
    f"nbgrader submit {ASSIGNMENT}": (EXCHANGE, '"submit"'),
    f"nbgrader collect {ASSIGNMENT}": (EXCHANGE, '"collect", TINY)'),
    f"nbgrader collect {ASSIGNMENT} --update": (EXCHANGE, '"collect", TINY, "--update")'),
    f"nbgrader release_feedback {ASSIGNMENT}": (EXCHANGE, '"release_feedback"'),
    f"nbgrader fetch_feedback {ASSIGNMENT}": (EXCHANGE, '"fetch_feedback"'),
    f"nbgrader zip_collect {ASSIGNMENT} --force": (
        "tests/exchange/test_learning_platforms.py", '"zip_collect", TINY, "--force"'),
    "nbgrader export --to reports/grades.csv": ("tests/assignment/test_sample_class.py", '"export", "--to"'),
    "nbgrader export --exporter=proctor.ExerciseExport --to reports/exercises.csv": (EXPORTS, "ExerciseExport"),
    "nbgrader export --exporter=proctor.CanvasExport --to reports/canvas.csv": (EXPORTS, "CanvasExport"),
    "nbgrader export --exporter=proctor.MoodleExport --to reports/moodle.csv": (EXPORTS, "MoodleExport"),
    'proctor extend ada --by "2 days"': ("tests/dates/test_extensions.py", '"ada", "--by"'),
    f"proctor feedback {ASSIGNMENT} --for moodle": (
        "tests/exchange/test_learning_platforms.py", '"proctor", "feedback", TINY, "--for", platform'),
    f"proctor feedback {ASSIGNMENT} --for canvas": (
        "tests/exchange/test_learning_platforms.py", '"proctor", "feedback", TINY, "--for", platform'),
    "proctor new warm_up": ("tests/cli/test_new.py", '"new", "warm_up"'),
    "nbgrader generate_assignment warm_up --create --force": (
        "tests/cli/test_new.py", '"generate_assignment", "warm_up", "--create", "--force"'),
    "proctor check source/warm_up/warm_up.ipynb": (
        "tests/cli/test_new.py", '"check", "source/warm_up/warm_up.ipynb"'),
    "proctor check --both-ends warm_up": ("tests/cli/test_both_ends.py", '"check", "--both-ends"'),
    "nbgrader validate source/warm_up/warm_up.ipynb": (
        "tests/cli/test_new.py", '"validate", "source/warm_up/warm_up.ipynb"'),
    f"proctor check submitted/ada/{ASSIGNMENT}/{ASSIGNMENT}.ipynb": ("tests/grading/test_class.py", '"proctor", "check"'),
    f"proctor check submitted/ada/{ASSIGNMENT}/{ASSIGNMENT}.ipynb --format gradescope": (
        "docs/gradescope/run_autograder", "--format gradescope"),
    "git archive --format=zip --output=autograder.zip --add-file=docs/gradescope/setup.sh "
    "--add-file=docs/gradescope/run_autograder --prefix=course/ HEAD": (
        "tests/docs/test_gradescope.py", 'startswith("git archive")'),
}  # fmt: skip
OTHERS_PAGES = ("docs/security.md", "docs/validity.md", "docs/scale.md")


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.names())
def test_every_command_on_a_page_is_run(page):
    """A command that no test runs may have stopped working, and nobody would know."""
    if str(page.relative_to(ROOT)) in OTHERS_PAGES:
        pytest.skip("its commands are run by the tests of its own subject")
    commands = [command for command in pages.commands(page) if not command.startswith("pytest ")]
    assert [command for command in commands if command not in HERE and command not in ELSEWHERE] == []


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.names())
def test_tests_that_a_page_names_are_there(page):
    """``pytest FOLDER ...`` on a page names folders and files that exist."""
    named = [word for command in pages.commands(page) if command.startswith("pytest ") for word in command.split()[1:]]
    assert [word for word in named if not (ROOT / word).exists()] == []


def test_the_table_of_commands_is_current():
    """Each command in the table is on a page, and the test that it names does run it."""
    shown = {command for page in pages.PAGES for command in pages.commands(page)}
    assert set(HERE) | set(ELSEWHERE) <= shown
    for command, (file, words) in ELSEWHERE.items():
        assert words in (ROOT / file).read_text(), f"{command}: no {words!r} in {file}"


def test_a_term_can_be_run_as_the_pages_say(tiny):
    """The commands of an instructor, one after the other, each as it is printed but for the assignment's name."""
    for student in ("ada", "sample-ada"):
        tiny_course.submit(tiny, student)
    (tiny / "students.csv").write_text(ROSTER)
    for command in HERE:
        words = shlex.split(command.replace(ASSIGNMENT, TINY))
        shell = ["bash", "-euo", "pipefail", "-c", command.replace(ASSIGNMENT, TINY)]
        done = run(tiny, *(words if words[0] in ("nbgrader", "proctor") else shell))
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert (tiny / "reports" / TINY / "index.html").is_file()
    assert (tiny / "feedback/ada" / TINY / f"{TINY}.html").is_file()
    assert [path.name for path in (tiny / "submitted").iterdir()] == ["ada"]
