"""A class of every kind of answer; Dask and a PostgreSQL server, skipped where they are not installed."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
import tiny_course
from commands import release

RIGHT = tiny_course.RIGHT
KINDS = {
    "right": (RIGHT, 3),
    "untouched": (None, 0),
    "wrong": ("def double(x): return x * x", 0),
    "partly": ("def double(x): return 2 * x if isinstance(x, int) else None", 2),
    "exits": ("import os\ndef double(x): return 2 * x if isinstance(x, int) else os._exit(0)", 2),
    "syntax": ("def double(x) return 2 * x", 0),
}


@pytest.fixture(scope="session")
def dask() -> None:
    """Skip where the extra [cluster] is not installed."""
    if sys.platform != "linux" or importlib.util.find_spec("distributed") is None:
        pytest.skip("Dask is not installed: pip install 'proctor[cluster]'")


@pytest.fixture(scope="session")
def postgres(released_tiny_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Postgres]:
    """A server for all tests; `servers.Postgres.fresh` gives a test a gradebook with the tiny course's release."""
    if servers.postgres_programs() is None or importlib.util.find_spec("psycopg") is None:
        pytest.skip(
            "PostgreSQL or psycopg is not installed: apt-get install postgresql, pip install 'proctor[cluster]'"
        )
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("postgres") / "course")
    with servers.postgres() as server, pytest.MonkeyPatch.context() as environment:
        environment.setenv("PROCTOR_DB_URL", server.fresh())
        release(course, tiny_course.ASSIGNMENT)
        server.keep()
        environment.undo()
        yield server


@pytest.fixture
def class_of(tiny: Path):
    """Hand in submissions of every kind; returns the course and the expected points."""

    def hand_in(size: int) -> tuple[Path, dict[str, float]]:
        expected = {}
        for number, (kind, (solution, points)) in zip(range(size), list(KINDS.items()) * size, strict=False):
            tiny_course.submit(tiny, f"{number:02}-{kind}", solution)
            expected[f"{number:02}-{kind}"] = points
        return tiny, expected

    return hand_in
