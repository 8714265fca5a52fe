"""The first command on a fresh clone says what it is doing while pip works, and what pip said if that fails."""

import sys

import pytest
from course_files import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import install

PIP = """
import sys, time
for name in ("numpy==2.0", "tensorflow==2.21 (from -r requirements.lock (line 9))"):
    print("Collecting", name)
    print("  Downloading some.whl (600 MB)")
print("Installing collected packages: numpy, tensorflow")
print("ERROR: no space left")
sys.exit(int(sys.argv[1]))
"""


@pytest.mark.parametrize("status", [0, 1])
def test_progress_of_an_installation(capfd, status):
    """A line for what is fetched and one for what is written; after a failure the end of pip's own words."""
    assert install.run([sys.executable, "-c", PIP, str(status)], 190) == status
    said, errors = capfd.readouterr()
    assert said.splitlines()[0] == "[1/190] fetching numpy"
    assert "[2] fetched; writing them to .venv" in said
    assert ("no space left" in errors) == bool(status)


def test_the_makefile_installs_by_it():
    """Nothing is installed in silence."""
    assert "pip install --quiet --disable-pip-version-check --require-hashes" not in (ROOT / "Makefile").read_text()
    assert "tools/install.py" in (ROOT / "Makefile").read_text()
