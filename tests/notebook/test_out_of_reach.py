"""What an author's own cells may not do is told to the author, by what the sandbox really does."""

import nbformat
import pytest
from commands import run
from nbformat.v4 import new_code_cell, new_notebook

from proctor.notebook.out_of_reach import of
from proctor.notebook.process import refused

# A test cell of an author's; what is told of it.
NEEDS = {
    "bang": ("!echo hi > out.txt\nassert open('out.txt').read()", "!echo"),
    "names": ("names = !ls -l\nassert names", "!ls"),
    "bash": ("%%bash\necho hi", "%%bash"),
    "subprocess": ("from subprocess import run\nassert run(['true']).returncode == 0", "subprocess"),
    "system": ("import os\nassert os.system('true') == 0", "os.system"),
    "popen": ("import os\nfor _ in range(1):\n    assert os.popen('echo hi').read()", "os.popen"),
    "pool": ("from multiprocessing import Pool\nwith Pool(1) as pool:\n    pool.map(abs, [1])", "multiprocessing"),
    "futures": (
        "from concurrent.futures import ProcessPoolExecutor\nassert list(ProcessPoolExecutor(1).map(abs, [1]))",
        "concurrent.futures.ProcessPoolExecutor",
    ),
    "network": ("import urllib.request as u\nassert u.urlopen('http://example.org')", "urllib.request"),
    "install": ("%pip install numpy\nassert False", "%pip"),
}
HARMLESS = [
    "%matplotlib inline\nimport numpy as np",
    "%timeit -n1 -r1 1 + 1",
    "text = '!ls'\n'%%bash'",
    "x != 3",
    "'''\n!ls\n'''",
    "import os\nos.path.exists('a')",
    "%%writefile a.txt\n!ls",
    "def f(x) return",
    "",
]
CONFIG = 'import proctor\nc = get_config()\nc.CourseDirectory.course_id = "x"\nproctor.configure(c)\n'


@pytest.mark.parametrize("source", HARMLESS)
def test_other_cells_are_left_alone(source):
    """Text that looks like a shell line, magics that only look, and what is no Python."""
    assert of(source) == []


def test_the_author_hears_of_it_and_the_flags_agree(tmp_path):
    """From check and from grade, cell by cell; and of each of them the sandbox has made an error."""
    source = tmp_path / "source/lab"
    source.mkdir(parents=True)
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    about = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False, "points": 1}
    cells = [
        new_code_cell(code, metadata={"nbgrader": {**about, "grade_id": name}}) for name, (code, _) in NEEDS.items()
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), source / "lab.ipynb")
    check = run(tmp_path, "proctor", "check", "source/lab/lab.ipynb")
    assert run(tmp_path, "nbgrader", "generate_assignment", "lab").returncode == 0
    (tmp_path / "submitted/ada").mkdir(parents=True)
    (tmp_path / "release/lab").rename(tmp_path / "submitted/ada/lab")
    grade = run(tmp_path, "proctor", "grade")
    assert f"0/{len(NEEDS)}" in grade.stdout
    for name, (_, what) in NEEDS.items():
        told = f"cell {name} needs what no student's process may do, for anybody: {what}"
        assert f"note: {told}" in check.stdout
        assert f"For the author: {told}" in grade.stdout
        assert f"cell {name} tried what the sandbox forbids" in check.stdout or name in ("system", "install")


def test_a_lock_that_cannot_be_made_is_no_missing_file():
    """Multiprocessing's error looks like one, but names none."""
    assert refused(["FileNotFoundError: [Errno 2] No such file or directory"]) == ["forbidden"]
    assert refused(["FileNotFoundError: [Errno 2] No such file or directory: 'a.csv'"]) == ["file missing"]
    assert refused(['OSError: "sh" shell not found']) == ["forbidden"]
