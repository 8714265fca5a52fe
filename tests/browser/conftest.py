"""A server and a browser for each module, which brings a graded `course` of its own."""

import lab
import pytest


@pytest.fixture(scope="module")
def server(course, tmp_path_factory):
    """``jupyter lab`` in the course's folder."""
    with lab.running(course, tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture(scope="module")
def chromium():
    """Start one browser for all tests of a module."""
    with lab.browser() as browser:
        yield browser
