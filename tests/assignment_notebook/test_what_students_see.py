"""docs/what-students-see.md is of this notebook, and everybody is told something."""

import re
import sys

import pytest
from course_files import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import what_students_see as seen

PAGE = (ROOT / "docs" / "what-students-see.md").read_text(encoding="utf-8")
MISTAKES = seen.load()["mistake"]


def test_the_page_is_of_this_notebook():
    """After a change of the release or of the mistakes: `make seen`."""
    assert seen.mark() in PAGE
    assert len(MISTAKES) == 10


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["title"])
def test_the_checks_say_what_is_wrong_and_why(mistake):
    """In a few lines that fit a screen, without a traceback."""
    section = re.split(r"^##+ ", PAGE.partition(f"### {mistake['title']}\n")[2], flags=re.MULTILINE)[0]
    assert mistake.get("body", "").strip() in section
    *_, checks = re.findall(r"```text\n(.*?)\n```", section, re.DOTALL)
    assert "Traceback" not in checks
    assert len(checks.splitlines()) <= 5
    assert "likely:" in checks or "not written yet" in checks
