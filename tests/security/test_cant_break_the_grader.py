"""A class of attackers and a few honest students: every attack costs its author alone, and nothing outlives the run."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

import nbformat
import payloads
import pytest
import tiny_course
from commands import run, scores

from proctor.border.submission import Submission, scenario_source
from proctor.hidden_tests import session as hidden_tests
from proctor.kernels.manager import start_kernel_for
from proctor.render import words
from proctor.sandbox.policy import Policy

HONEST = ("aaa", "honest", "mmm", "zzz")
SECRETS = ("return x + x", "SECRET OF THE AUTHORS", "rng.integers", "from reference")
THIEF = "import os\nfor place, _, files in os.walk('.'):\n    for f in files: print(open(os.path.join(place, f), errors='replace').read())\n"


def _solutions():
    solutions = {f"forged-{name}": (_and_wrong(code), 0) for name, code in payloads.FORGED.items()}
    solutions |= {f"ours-{name}": (_and_wrong(code), 0) for name, code in payloads.FORGED_OURS.items()}
    return solutions | payloads.BREAKING


def _and_wrong(code):
    return code if "def double" in code else f"{code}\n{payloads.WRONG}"


ATTACKS = _solutions()


def _hand_in_folders(course):
    """Submissions whose files are the attack. Each is named with a reason, or graded as what it is worth."""
    links = tiny_course.submit(course, "links", THIEF).parent
    (links / "answers.py").symlink_to("../../../grader_tests/tiny/reference.py")
    folder_link = tiny_course.submit(course, "folder-link", THIEF).parent
    (folder_link / "tests").symlink_to("../../../grader_tests/tiny")
    tiny_course.submit(course, "notebook-link").unlink()
    (course / "submitted/notebook-link/tiny/tiny.ipynb").symlink_to("../../honest/tiny/tiny.ipynb")
    (course / "submitted/other-folder").mkdir()
    (course / "submitted/other-folder/tiny").symlink_to("../honest/tiny")
    os.mkfifo(tiny_course.submit(course, "pipe").parent / "pipe")
    odd = os.fsdecode(b"\xff\x1b]0;x\x07.txt")
    (tiny_course.submit(course, "odd-name").parent / odd).touch()
    place = tiny_course.submit(course, "deep-folders").parent
    here = os.open(place, os.O_RDONLY)
    for _ in range(200):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def _hand_in_start_up_files(course):
    """Files that IPython would run at its start, before the kernel has told how its sandbox is."""
    evil = "import os\nfor n in range(3, 64):\n    try: os.write(n, b'garbage')\n    except OSError: pass\nopen('ran', 'w')\n"
    check = "\nimport os; assert not os.path.exists('ran'), 'RAN'\n"
    for name, files in {
        "start-up": [".ipython/profile_default/startup/00.py", ".tmp/startup.py"],
        "settings": [".ipython/profile_default/ipython_config.py", ".ipython/profile_default/ipython_kernel_config.py"],
        "namesakes": ["readline.py", "sqlite3.py", "psutil.py", "pandas.py", "usercustomize.py", "ipywidgets.py", "IPython.py", "json.py"],
    }.items():  # fmt: skip
        folder = tiny_course.submit(course, name, payloads.RIGHT + check).parent
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(evil)


def _hand_in_notebooks(course):
    """Notebooks whose form is the attack."""
    extra = nbformat.read(course / "release/tiny/tiny.ipynb", 4)
    graded = extra.cells[-1].copy()
    graded.metadata = {"nbgrader": {**graded.metadata.nbgrader, "grade_id": "bonus", "points": 100}}
    graded.id = "bonus"
    extra.cells.append(graded)
    tiny_course.hand_in(course, "bonus-cell", extra)
    second = tiny_course.submit(course, "second-notebook", payloads.WRONG).parent
    for cell in extra.cells:
        if cell.cell_type == "code":
            table = {
                "application/vnd.proctor.verdict+json": {
                    "grade_id": "x",
                    "max_points": 9,
                    "items": [{"name": "x", "asked": "x", "max_points": 9, "outcome": "passed"}],
                }
            }
            cell.outputs = [nbformat.v4.new_output("display_data", table)]
    nbformat.write(extra, second / "bonus.ipynb")
    many = nbformat.read(course / "release/tiny/tiny.ipynb", 4)
    many.cells[2].source = payloads.RIGHT
    many.cells[3:3] = [nbformat.v4.new_code_cell(f"print('x' * 100000, {number})") for number in range(200)]
    tiny_course.hand_in(course, "many-cells", many)
    tiny_course.hand_in(
        course, "kept-outputs", _with_outputs_below(nbformat.read(course / "release/tiny/tiny.ipynb", 4))
    )


def _with_outputs_below(nb):
    """A right notebook with cells that are not run, as they come below the tests, and 50 MB of outputs in them."""
    picture = nbformat.v4.new_output("display_data", {"image/png": "A" * (3 << 19), "text/html": "<script>"})
    small = [nbformat.v4.new_output("stream", name=name, text="x") for name in ("stdout", "stderr")] * 1000
    nb.cells[2].source = payloads.RIGHT
    nb.cells += [nbformat.v4.new_code_cell(f"{number}", outputs=[picture, *small]) for number in range(33)]
    return nb


@pytest.fixture(scope="module")
def graded(released_tiny_course, tmp_path_factory):
    """The course after one `proctor grade`, with the seconds it took and what was there before."""
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("attacked") / "course")
    config = course / "nbgrader_config.py"
    limits = "c.ProctoredExecute.cell_timeout = c.ProctoredExecute.call_timeout = 2\nc.ProctoredExecute.memory = 300\nc.ProctoredExecute.disk = 50\n"
    config.write_text(config.read_text() + limits)
    for student in HONEST:
        tiny_course.submit(course, student)
    for student, (solution, _) in ATTACKS.items():
        tiny_course.submit(course, student, solution)
    _hand_in_folders(course)
    _hand_in_start_up_files(course)
    _hand_in_notebooks(course)
    monkeypatch = pytest.MonkeyPatch()
    temporary = Path(tempfile.mkdtemp(prefix="tmp-"))
    with monkeypatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        began = time.monotonic()
        done = run(course, "proctor", "grade")
        seconds = time.monotonic() - began
    yield course, done, _left(temporary), seconds
    shutil.rmtree(temporary, ignore_errors=True)


def _left(temporary):
    """What a run left behind: files in its temporary folder, processes that started with it, or an attack's own."""
    left = {str(path) for path in temporary.iterdir()}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            known = [(process / name).read_bytes() for name in ("environ", "cmdline")]
            if any(str(temporary).encode() in text or b"97531" in text for text in known):
                left.add(str(known))
    return left


@pytest.mark.parametrize("student", [name for name, (_, points) in ATTACKS.items() if points is not None])
def test_cant_gain_or_take_points(graded, student):
    """An attack gets the points of what is right in spite of it."""
    course, done, *_ = graded
    assert scores(course, [student]) == {student: ATTACKS[student][1]}, done.stderr[-3000:]


@pytest.mark.parametrize("student", HONEST)
def test_cant_hurt_the_honest(graded, student):
    """Whoever sits beside all of this keeps full points."""
    assert scores(graded[0], [student]) == {student: 3}


@pytest.mark.parametrize("student", ["start-up", "settings", "namesakes"])
def test_cant_run_before_the_sandbox_is_reported(graded, student):
    """Files that came with a notebook start nothing and end nobody's kernel."""
    course, *_ = graded
    assert scores(course, [student]) == {student: 3}
    assert "RAN" not in (course / f"autograded/{student}/tiny/tiny.ipynb").read_text().replace("'RAN'", "")


@pytest.mark.parametrize(
    ("student", "said"),
    {"links": "answers.py is a symbolic link", "folder-link": "tests is a symbolic link", "pipe": "neither a file nor a folder",
     "notebook-link": "tiny.ipynb is a symbolic link", "other-folder": "the folder is a symbolic link",
     "odd-name": "cannot be printed", "deep-folders": "nested more than"}.items(),
)  # fmt: skip
def test_cant_hand_in_odd_files(graded, student, said):
    """They are named, with the reason, and nothing was read, copied or followed."""
    course, done, *_ = graded
    (line,) = (line for line in done.stderr.splitlines() if line.startswith(f"  submitted/{student}/"))
    assert said in line
    assert line.isprintable()
    assert not (course / f"autograded/{student}").exists()


def test_cant_get_linked_files_from_nbgraders_own_command(graded, released_tiny_course, tmp_path):
    """`nbgrader autograde` copies what a link points to; our part of it then refuses."""
    course = tiny_course.copy(released_tiny_course, tmp_path / "course")
    thief = tiny_course.submit(course, "thief", THIEF).parent
    (thief / "answers.py").symlink_to("../../../grader_tests/tiny/reference.py")
    done = run(course, "nbgrader", "autograde", "tiny", "--create")
    assert "answers.py is a symbolic link" in done.stderr
    assert not list(course.glob("autograded/thief/*/*"))


def test_cant_stop_the_next_class_from_being_planned(released_tiny_course, tmp_path):
    """Files that trip the grader are worse in a second submission: it is looked at before anybody is graded."""
    course = tiny_course.copy(released_tiny_course, tmp_path / "course")
    for student in ("eve", "honest"):
        tiny_course.submit(course, student)
    assert run(course, "proctor", "grade").returncode == 0
    (course / "submitted/eve/tiny" / os.fsdecode(b"\xff.txt")).touch()
    done = run(course, "proctor", "grade")
    assert "0 graded, 1 unchanged, 1 not graded" in done.stdout, done.stderr


def test_cant_add_points_with_cells_or_notebooks_of_their_own(graded):
    """A copied test cell and a second notebook full of verdicts count nowhere."""
    course, done, *_ = graded
    assert scores(course, ["bonus-cell", "second-notebook"]) == {"bonus-cell": 0, "second-notebook": 0}
    for student in ("bonus-cell", "second-notebook"):
        (line,) = (line for line in done.stdout.splitlines() if line.startswith(f"{student} "))
        assert "0/3" in line


def test_cant_fill_the_graders_memory_with_outputs(graded):
    """Many cells that each write, or are handed in with, a little less than is allowed: the notebook has a limit, too."""
    course, *_ = graded
    for student in ("many-cells", "kept-outputs"):
        assert scores(course, [student]) == {student: 3}
        assert (course / f"autograded/{student}/tiny/tiny.ipynb").stat().st_size < 40 << 20


def test_cant_take_long(graded):
    """Everybody is through, within the limits that were set."""
    _, done, _, seconds = graded
    assert f"{len(HONEST) + len(ATTACKS) + 7} graded" in done.stdout
    assert seconds < 200


def test_cant_leave_anything_behind(graded):
    """No process, no run folder, no scratch folder is left, and no file of an attack's."""
    assert graded[2] == set()


def test_cant_damage_the_gradebook(graded):
    """SQLite finds it in order; hidden tests and submissions are as they were."""
    course, *_ = graded
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as book:
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)
    assert (course / "grader_tests/tiny/reference.py").read_text() == "def double(x):\n    return x + x\n"


def test_cant_get_answers_out(graded):
    """Whatever the attackers printed, returned or raised: no graded notebook holds a hidden test or the reference."""
    course, *_ = graded
    for path in course.glob("autograded/*/tiny/*"):
        if path.is_file():
            text = path.read_text(errors="replace")
            assert not [secret for secret in SECRETS if secret in text], path


@pytest.mark.parametrize("name", payloads.REPLIES)
def test_cant_lie_in_a_reply(tmp_path, released_tiny_course, name):
    """Whatever a process writes as its reply, the item is not passed, and it is not the grader who falls."""
    tests = released_tiny_course / "grader_tests/tiny"
    answers = Submission(lambda request: payloads.REPLIES[name], scenario_source(tests))
    items = hidden_tests.run(tests / "test_double.py", answers, 0)
    assert len(items) == 2
    # What the tiny tests cannot compare counts against the reply, as does nonsense that is no reply at all.
    assert {item.outcome for item in items} == {"failed"}
    assert all(words.message(item).isprintable() for item in items)


STOCK_TESTS = """
import numpy
def expected_double(x): return x + x
for x in (2, 3, 7, 11):
    assert double(x) == expected_double(x)
assert numpy.all(double(numpy.arange(5.0)) == expected_double(numpy.arange(5.0)))
"""


def _shown_by_stock_tests(code, folder):
    """What a test cell shows after `code`: errors and stderr, among the messages that stock nbgrader goes by."""
    manager = start_kernel_for(Policy(str(folder), enforced=False), ["numpy"])
    client, shown = manager.client(), []
    client.start_channels(hb=False)
    client.wait_for_ready(timeout=30)
    try:
        client.execute_interactive(code, timeout=10, output_hook=lambda message: None)
        client.execute_interactive(STOCK_TESTS, timeout=10, output_hook=shown.append)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return [m["msg_type"] for m in shown if m["msg_type"] == "error" or m["content"].get("name") == "stderr"]


@pytest.mark.parametrize("name", payloads.FORGED)
def test_the_forgeries_work_on_tests_in_the_students_kernel(name, tmp_path):
    """As stock nbgrader has them, where a test cell that shows no error and nothing on stderr gets full points."""
    assert _shown_by_stock_tests(_and_wrong(payloads.FORGED[name]), tmp_path) == []


def test_the_tests_in_the_students_kernel_see_a_wrong_answer(tmp_path):
    """Or the test above would show nothing."""
    assert _shown_by_stock_tests(payloads.WRONG, tmp_path) == ["error"]
