"""What students get: current, and without anything that they should find out themselves."""

import shutil
from pathlib import Path

import nbformat
import pytest
from commands import release
from course_files import ASSIGNMENT, COMMON, ROOT, SECRETS, statements


def files(folder: Path) -> dict[str, bytes]:
    """All files below `folder` by their names there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The release as `nbgrader generate_assignment` makes it now."""
    course = tmp_path_factory.mktemp("release")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    shutil.copytree(ROOT / "source", course / "source")
    release(course, ASSIGNMENT)
    return files(course / "release")


def test_the_committed_release_is_current(generated):
    """What is in release/ is what nbgrader makes of source/ today, byte for byte."""
    assert files(ROOT / "release") == generated


def test_what_the_student_needs_is_there(generated):
    """The notebook, and the requirements beside it."""
    assert set(generated) == {f"{ASSIGNMENT}/{ASSIGNMENT}.ipynb", f"{ASSIGNMENT}/requirements.txt"}


@pytest.mark.parametrize("secret", SECRETS, ids=lambda path: path.name)
def test_no_line_of_the_hidden_side_is_in_the_release(generated, secret):
    """Neither the reference nor a hidden test, scenario or recogniser reaches the students."""
    text = b"\n".join(generated.values()).decode().replace('\\"', '"')
    found = [line for line in statements(secret) if line in text]
    assert not found


def test_no_solution_is_in_the_release(generated):
    """The solution regions are stubs that say what is missing."""
    nb = nbformat.reads(generated[f"{ASSIGNMENT}/{ASSIGNMENT}.ipynb"].decode(), as_version=4)
    source = nbformat.read(ROOT / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in nb.cells)
    written = {line.strip() for line in text.splitlines()}
    assert "HIDDEN" not in text
    assert "SOLUTION" not in text
    assert "proctor" not in text
    stubs = [cell.source for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    assert len(stubs) == 3
    assert all("raise NotImplementedError(" in stub for stub in stubs)
    for cell in source.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            solution = cell.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
            lines = [line.strip() for line in solution.splitlines() if len(line.strip()) > 20]
            assert lines
            assert not [line for line in lines if line in written and line not in COMMON]
