"""What students and instructors get wrong: a clear line that names the file, the rest of the class graded, nothing lost."""

import ctypes
import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
import tiny_course
from commands import run, scores
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

RIGHT = tiny_course.RIGHT


def notebook(course, solution=RIGHT):
    """A right answer, to be spoilt."""
    nb = nbformat.read(course / "release/tiny/tiny.ipynb", as_version=4)
    by_id = {cell.metadata.nbgrader.grade_id: cell for cell in nb.cells}
    by_id["double"].source = solution
    return nb, by_id


def without_test_cell(nb, cells):
    nb.cells.remove(cells["test_double"])


def with_test_cell_twice(nb, cells):
    nb.cells.append(nbformat.from_dict({**cells["test_double"], "id": "copy"}))


def with_edited_test(nb, cells):
    cells["test_double"].source = "3.0"


def with_more_points(nb, cells):
    cells["test_double"].metadata.nbgrader.points = 300


def with_another_grade_id(nb, cells):
    cells["test_double"].metadata.nbgrader.grade_id = "test_single"


def with_edited_given_cell(nb, cells):
    cells["imports"].source = "np = None"


def without_given_cells(nb, cells):
    for name in ("title", "imports", "check"):
        nb.cells.remove(cells[name])


def with_test_turned_into_markdown(nb, cells):
    at = nb.cells.index(cells["test_double"])
    nb.cells[at] = new_markdown_cell(cells["test_double"].source, metadata=cells["test_double"].metadata)


def with_a_forged_test_cell(nb, cells):
    hidden = (
        '### BEGIN HIDDEN TESTS\nimport proctor; proctor.run_hidden_tests("tiny/test_double.py")\n### END HIDDEN TESTS'
    )
    about = {**cells["test_double"].metadata.nbgrader, "grade_id": "extra", "points": 100}
    nb.cells.append(new_code_cell(hidden, metadata={"nbgrader": about}))


def with_solution_in_a_cell_of_its_own(nb, cells):
    at = nb.cells.index(cells["double"])
    nb.cells[at] = new_code_cell(RIGHT)


def with_solution_split_in_two(nb, cells):
    at = nb.cells.index(cells["double"])
    nb.cells.insert(at, nbformat.from_dict({**cells["double"], "source": "factor = 2", "id": "first-half"}))
    cells["double"].source = "def double(x): return factor * x"


def with_solution_turned_into_markdown(nb, cells):
    at = nb.cells.index(cells["double"])
    nb.cells[at] = new_markdown_cell(RIGHT, metadata=cells["double"].metadata)


def with_another_kernel(nb, cells):
    nb.metadata.kernelspec = {"name": "julia-9", "display_name": "Julia", "language": "julia"}


def with_50_mb_of_outputs(nb, cells):
    cells["double"].outputs = [new_output("stream", name="stdout", text="x" * (50 << 20))]


def with_strange_metadata(nb, cells):
    nb.metadata["proctor"] = {"restored": ["forged"]}
    nb.metadata["x"] = {"y": [1, {"z": None}]}


# what was done to a right answer: points, and whether the instructor is told that a cell was restored or recognised
SPOILT = {
    without_test_cell: (3, True),
    with_test_cell_twice: (3, False),
    with_edited_test: (3, True),
    with_more_points: (3, True),
    with_another_grade_id: (3, True),
    with_edited_given_cell: (3, True),
    without_given_cells: (3, True),
    with_test_turned_into_markdown: (3, True),
    with_a_forged_test_cell: (3, False),
    with_solution_in_a_cell_of_its_own: (3, True),
    with_solution_split_in_two: (3, False),
    with_solution_turned_into_markdown: (3, True),
    with_another_kernel: (3, False),
    with_50_mb_of_outputs: (3, False),
    with_strange_metadata: (3, False),
}
# files that cannot be graded at all: bytes, and what the instructor is told
UNUSABLE = {
    "empty": (b"", "empty file"),
    "broken": (b'{"cells": [', "not a notebook"),
    "binary": (bytes(range(256)) * 10, "not a notebook"),
    "list": (b"[1, 2]", "not a notebook"),
    "deep": (b"[" * 100_000, "not a notebook"),
    "cells-of-text": (b'{"cells": "x", "nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "not a notebook"),
    "metadata-of-text": (
        b'{"cells": [{"cell_type": "code", "source": "", "outputs": [], "execution_count": null, "id": "a",'
        b' "metadata": {"nbgrader": "text"}}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        "a notebook with nothing in it",
    ),
    "many-objects": (
        b'{"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {"x": [' + b"{}," * 150_000 + b"{}]}}",
        "too much metadata",
    ),
    "too-many-objects": (b'{"x": [' + b"[]," * 1_000_000 + b"[]]}", "too many lists or objects"),
    "all-*": (b"", "nbgrader takes *, ? and [ in a student's id for a pattern"),
}


@pytest.fixture(scope="module")
def graded(released_tiny_course, tmp_path_factory):
    """The course with all of that handed in, and what `proctor grade` said."""
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("bad") / "course")
    for spoil in SPOILT:
        nb, cells = notebook(course)
        spoil(nb, cells)
        tiny_course.hand_in(course, spoil.__name__, nb)
    for student, (content, _) in UNUSABLE.items():
        tiny_course.submit(course, student).write_bytes(content)
    old, _ = notebook(course)
    path = tiny_course.submit(course, "old-format")
    for cell in old.cells:
        cell.pop("id")
    path.write_text(json.dumps({**old, "nbformat": 4, "nbformat_minor": 1}))
    path = tiny_course.submit(course, "version-3")
    path.write_text(nbformat.v3.writes_json(nbformat.convert(notebook(course)[0], 3)))
    tiny_course.submit(course, "renamed").rename(course / "submitted/renamed/tiny/tiny (1).ipynb")
    for name, solution in (("a", RIGHT), ("b", None)):
        tiny_course.submit(course, "unclear", solution).rename(course / f"submitted/unclear/tiny/{name}.ipynb")
    tiny_course.submit(course, "missing").unlink()
    tiny_course.submit(course, "no-time").with_name("timestamp.txt").write_bytes(b"\xff\xfe")
    with tiny_course.submit(course, "holes").with_name("data.npy").open("wb") as file:
        file.truncate(3 << 30)
    tiny_course.submit(course, "linked").unlink()
    (course / "submitted/linked/tiny/tiny.ipynb").symlink_to(course / "source/tiny/tiny.ipynb")
    done = run(course, "proctor", "grade")
    return course, done


@pytest.mark.parametrize("spoil", SPOILT, ids=lambda spoil: spoil.__name__)
def test_a_right_answer_stays_right(graded, spoil):
    """Whatever happened to the cells around it, a right answer gets its points; what was restored is told."""
    course, done = graded
    points, told = SPOILT[spoil]
    assert scores(course, [spoil.__name__]) == {spoil.__name__: points}
    (line,) = (line for line in done.stdout.splitlines() if line.startswith(f"{spoil.__name__} "))
    assert any(words in line for words in ("restored cell", "recognised", "turned the text cell")) == told


@pytest.mark.parametrize("student", UNUSABLE)
def test_an_unusable_file_is_named_with_its_reason(graded, student):
    """The instructor reads which file it is and what is wrong with it."""
    _, done = graded
    (line,) = (line for line in done.stderr.splitlines() if line.startswith(f"  submitted/{student}/tiny"))
    assert UNUSABLE[student][1] in line


def test_files_beside_the_notebook_are_named(graded):
    """A file that is mostly a hole is not read; a time that nbgrader cannot read would hide everybody's submission."""
    _, done = graded
    assert "submitted/no-time/tiny/timestamp.txt: not a time" in done.stderr
    assert "submitted/holes/tiny: there are more than 512 MB of files" in done.stderr


def test_a_missing_notebook_is_named_and_a_renamed_one_graded(graded):
    """The instructor reads which name was expected and what is there instead, or what was taken for it."""
    course, done = graded
    assert "renamed: took submitted/renamed/tiny/tiny (1).ipynb for submitted/renamed/tiny/tiny.ipynb" in done.stderr
    assert scores(course, ["renamed"]) == {"renamed": 3}
    assert "submitted/unclear/tiny/tiny.ipynb: missing (found a.ipynb, b.ipynb: nothing that is beyond" in done.stderr
    assert (
        "submitted/missing/tiny/tiny.ipynb: missing (there is no notebook in the folder; ask the student" in done.stderr
    )
    assert "submitted/linked/tiny: tiny.ipynb is a symbolic link" in done.stderr


def test_the_others_are_graded_and_the_exit_status_tells(graded):
    """Exit status 1: some could not be graded; everybody else was."""
    course, done = graded
    assert done.returncode == 1
    assert scores(course, ["old-format"]) == {"old-format": 3}
    assert f"{len(UNUSABLE) + 5} not graded" in done.stdout


def test_a_version_3_notebook_is_graded(graded):
    """An old format is converted, not refused."""
    course, done = graded
    assert "version-3" not in done.stderr.split("graded")[-1]
    assert scores(course, ["version-3"])["version-3"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "no assignment 'nowhere'; there are: tiny"),
        (["--student", "nobody"], "no submission of tiny by nobody"),
        (["--jobs", "0"], "a number from 1 to"),
        (["--jobs", "100000"], "a number from 1 to"),
    ],
)
def test_wrong_usage_is_told(graded, arguments, said):
    """Unknown names and impossible numbers are exit status 2 and one line."""
    course, _ = graded
    done = run(course, "proctor", "grade", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_no_submissions_at_all_is_told(tiny):
    """An empty class is not a success; the line says where submissions are expected."""
    done = run(tiny, "proctor", "grade")
    assert done.returncode == 2
    assert "no submissions of tiny; expected" in done.stderr


def test_outside_of_a_course_is_told(tmp_path):
    """The command says what it looked for."""
    done = run(tmp_path, "proctor", "grade")
    assert done.returncode == 2
    assert "nbgrader_config.py" in done.stderr


def test_an_unreleased_assignment_is_told(tiny):
    """The gradebook has to know the assignment before anybody is graded."""
    tiny_course.submit(tiny, "ada")
    (tiny / "gradebook.db").unlink()
    done = run(tiny, "proctor", "grade")
    assert done.returncode == 2
    assert "run `nbgrader generate_assignment tiny --create --force`" in done.stderr


def test_a_damaged_gradebook_is_told(tiny):
    """A gradebook that is not one is named, and left as it is."""
    tiny_course.submit(tiny, "ada")
    (tiny / "gradebook.db").write_bytes(b"not a database" * 1000)
    done = run(tiny, "proctor", "grade")
    assert done.returncode == 2
    assert "the gradebook cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tiny / "gradebook.db").read_bytes() == b"not a database" * 1000


def test_check_of_what_is_not_a_notebook_is_told(tiny):
    """`proctor check` says what it could not read, with exit status 2."""
    for name, content in (("nowhere.ipynb", None), ("empty.ipynb", b"")):
        if content is not None:
            (tiny / name).write_bytes(content)
        done = run(tiny, "proctor", "check", name)
        assert done.returncode == 2
        assert name in done.stderr or "empty file" in done.stderr


def without_rights_of_root():
    """For a process that is about to start: it may read what its user may, as an ordinary one does."""
    bound, read_anything, look_anywhere = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    for right in (read_anything, look_anywhere):
        ctypes.CDLL(None).prctl(bound, right, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="takes root's rights away as Linux does it")
def test_what_we_have_no_right_to_read_costs_nobody_else(tiny):
    """A folder or a file without rights names its student; the class is graded, and the report is written."""
    for student in ("ada", "bo", "cy", "di"):
        tiny_course.submit(tiny, student)
    closed = [tiny / "submitted" / path for path in ("bo", "cy/tiny", "di/tiny/tiny.ipynb")]
    for path in closed:
        path.chmod(0)

    def command(*words):
        return subprocess.run(
            ["proctor", *words],
            cwd=tiny,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=without_rights_of_root,
        )

    graded, report, tour = command("grade"), command("report"), command()
    for path in closed:
        path.chmod(0o755)
    assert graded.returncode == 1, graded.stderr
    assert scores(tiny) == {"ada": 3.0}
    for place in ("submitted/bo/tiny: the folder", "submitted/cy/tiny: the folder", "submitted/di/tiny: tiny.ipynb"):
        assert any(place in line and "give yourself the right" in line for line in graded.stderr.splitlines())
    assert "1 graded, 3 cannot be graded" in report.stdout, report.stderr
    assert "4 handed in, 1 graded" in tour.stdout, tour.stderr


def test_nbgraders_own_autograde_looks_before_it_reads(tiny):
    """A pipe, a link without end, thousands of files or another student's folder cost their own student alone."""
    for student in ("ada", "many", "pipe", "zed", "zero"):
        tiny_course.submit(tiny, student)
    submitted = tiny / "submitted"
    (submitted / "pipe/tiny/tiny.ipynb").unlink()
    os.mkfifo(submitted / "pipe/tiny/tiny.ipynb")
    (submitted / "zero/tiny/data.bin").symlink_to("/dev/zero")
    for number in range(10_001):
        (submitted / "many/tiny" / str(number)).touch()
    (submitted / "link").symlink_to(submitted / "ada")
    done = run(tiny, "nbgrader", "autograde", "tiny", timeout=60)
    for student in ("many", "pipe", "zero", "link"):
        assert f"for student '{student}'" in done.stderr
    assert scores(tiny) == {"ada": 3.0, "zed": 3.0}


def test_what_stands_in_the_place_of_a_submission_is_named(tiny):
    """A link to another student's folder is not graded as this one's, and a file is no folder."""
    tiny_course.submit(tiny, "ada")
    submitted = tiny / "submitted"
    (submitted / "link").symlink_to(submitted / "ada")
    (submitted / "file").mkdir()
    (submitted / "file/tiny").touch()
    done = run(tiny, "proctor", "grade")
    assert "submitted/link/tiny: the folder is a symbolic link" in done.stderr
    assert "submitted/file/tiny: this is no folder" in done.stderr
    assert scores(tiny) == {"ada": 3.0}


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has no such names")
def test_a_folder_whose_name_is_no_text(tiny):
    """It is named by the rule for ids; the class is graded, and the report written."""
    tiny_course.submit(tiny, "ada")
    folder = os.fsencode(tiny / "submitted") + b"/st\xff"
    shutil.copytree(os.fsencode(tiny / "submitted/ada"), folder)
    done = run(tiny, "proctor", "grade")
    assert "rename the folder" in done.stderr
    assert scores(tiny) == {"ada": 3.0}
    assert run(tiny, "proctor", "report").returncode == 0
