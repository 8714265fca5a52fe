"""What every test needs: the environment's programs on PATH and a quiet TensorFlow."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import absl.logging
import pytest
import tiny_course
from commands import release

pytest_plugins = ["page_fixtures"]
BIN = Path(sys.executable).parent
os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ['PATH']}"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# absl, which comes with TensorFlow, closes the stream that it has found at its import whenever logging is configured anew,
# unless that is still `sys.stderr`: a test with `capfd` that runs nbgrader would close pytest's own for all tests after it.
absl.logging.get_absl_handler().python_handler.setStream(sys.__stderr__)


def pytest_configure(config: pytest.Config) -> None:
    """Give the run a folder for temporary files, removed at its end: attacks without protection leave much behind."""
    if hasattr(config, "workerinput"):  # a worker process has inherited it
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())  # `tmp_path` stays where pytest has it
    folder = tempfile.mkdtemp(prefix="t-")  # short, because sockets are made in it
    Path(folder).chmod(0o1777)
    os.environ["TMPDIR"], tempfile.tempdir = folder, None
    config.add_cleanup(lambda: subprocess.run(["rm", "-rf", folder], check=False))


@pytest.fixture(scope="session")
def released_tiny_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny course with its release and nothing handed in; copy it before changing it."""
    course = tiny_course.make(tmp_path_factory.mktemp("courses") / "tiny")
    release(course, tiny_course.ASSIGNMENT)
    return course


@pytest.fixture
def tiny(released_tiny_course: Path, tmp_path: Path) -> Path:
    """A tiny course of the test's own."""
    return tiny_course.copy(released_tiny_course, tmp_path / "course")
