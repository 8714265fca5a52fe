"""Submissions from the zip files of two learning platforms, by the settings that docs/instructors.md gives."""

import re
import zipfile
from html import unescape

import nbformat
import pytest
import tiny_course
from commands import run, scores
from course_files import ROOT

TINY = tiny_course.ASSIGNMENT
GUIDE = (ROOT / "docs" / "instructors.md").read_text()
SETTINGS = re.findall(r"```python\n(c\.FileNameCollectorPlugin.*?)```", GUIDE, re.DOTALL)
WRONG = "def double(x):\n    return x\n"

CANVAS = {
    f"lovelaceada_12345_67890_{TINY}.ipynb": ("12345", tiny_course.RIGHT),
    f"hopper_LATE_777_67891_{TINY}.ipynb": ("777", WRONG),
    f"noethere_31_67892_{TINY}-2.ipynb": ("31", tiny_course.RIGHT),
}
MOODLE = {
    f"Ada Lovelace_123456_assignsubmission_file_/{TINY}.ipynb": ("Ada Lovelace", tiny_course.RIGHT),
    f"Zoë d'Été-Müller_123457_assignsubmission_file_/{TINY}.ipynb": ("Zoë d'Été-Müller", WRONG),
    f"Bo Ek_99_assignsubmission_file/{TINY}.ipynb": ("Bo Ek", tiny_course.RIGHT),
}


def notebook(course, answer):
    """The release with an answer, as text."""
    nb = nbformat.read(course / "release" / TINY / f"{TINY}.ipynb", as_version=4)
    for cell in nb.cells:
        if cell.metadata.nbgrader.grade_id == "double":
            cell.source = answer
    return nbformat.writes(nb)


@pytest.mark.parametrize(
    ("settings", "names"), list(zip(SETTINGS, (CANVAS, MOODLE), strict=True)), ids=["canvas", "moodle"]
)
def test_a_zip_file_becomes_a_graded_class(tiny, settings, names):
    """Each student's file is found, under the platform's own naming, and graded; a stray file harms nobody."""
    with (tiny / "nbgrader_config.py").open("a") as config:
        config.write(f"\n{settings}")
    archive = tiny / "downloaded" / TINY / "archive" / "submissions.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        for name, (_, answer) in names.items():
            file.writestr(name, notebook(tiny, answer))
        file.writestr("readme.txt", "not a submission")
    collected = run(tiny, "nbgrader", "zip_collect", TINY, "--force")
    assert collected.returncode == 0, collected.stderr
    assert {path.name for path in (tiny / "submitted").iterdir()} == {student for student, _ in names.values()}
    graded = run(tiny, "proctor", "grade", TINY)
    assert graded.returncode == 0, graded.stderr
    points = {student: 3 if answer == tiny_course.RIGHT else 0 for student, answer in names.values()}
    assert scores(tiny) == points
    assert run(tiny, "nbgrader", "generate_feedback", TINY).returncode == 0
    platform = "moodle" if "Ada Lovelace" in points else "canvas"
    packed = run(tiny, "proctor", "feedback", TINY, "--for", platform)
    assert packed.returncode == 0, packed.stderr
    with zipfile.ZipFile(tiny / "feedback" / f"{TINY}-for-{platform}.zip") as file:
        for name, (student, _) in names.items():
            page = file.read(name.removesuffix(".ipynb") + ".html").decode()
            assert student in unescape(page)
        assert len(file.namelist()) == len(names)
    assert run(tiny, "proctor", "feedback", "--for", "canvas" if platform == "moodle" else "moodle").returncode == 2
