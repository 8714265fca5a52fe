"""A submission's steps share one engine and one connection, and nothing of it is left between two submissions."""

import contextlib
import shutil
import sqlite3

import pytest
from nbgrader import api
from nbgrader.api import Gradebook
from sqlalchemy import event
from sqlalchemy.engine import Engine

from proctor.course import folders as courses
from proctor.records import database
from proctor.records.shared import shared_gradebook


@pytest.fixture
def url(tiny):
    """The gradebook of a course with a release."""
    return courses.load(tiny).db_url()


@pytest.fixture
def connections():
    """Every connection to a database that the test makes."""
    made = []
    listener = lambda connection, record: made.append(connection)  # noqa: E731 - SQLAlchemy takes it off by identity
    event.listen(Engine, "connect", listener)
    yield made
    event.remove(Engine, "connect", listener)


def open_like_nbgrader(url):
    """What the steps of one submission do; return their gradebooks, which nbgrader's preprocessors keep, too."""
    books = []
    for course in ("tiny", "default_course", "new") * 3:
        with Gradebook(url, course) as book:
            book.update_or_create_student(f"of-{course}")
            assert book.find_student(f"of-{course}")
            books.append(book)
    return books


def test_steps_connect_once(url, connections):
    """Statements are compiled once a process, and the connection is made once a submission."""
    engines = set()
    for _ in range(2):
        with shared_gradebook(url), Gradebook(url) as outer:
            engines.add(outer.engine)
            open_like_nbgrader(url)
            assert outer.find_assignment("tiny").name == "tiny", "a step may open it while another has it open"
    assert len(engines) == 1
    assert len(connections) == 2, "one a submission"


def test_the_tables_are_looked_up_once(url, monkeypatch):
    """Nbgrader looks for every table, and for the course, whenever it opens its gradebook."""
    looked = []
    stock = api.inspect
    monkeypatch.setattr(api, "inspect", lambda engine: looked.append(engine) or stock(engine))
    with shared_gradebook(url):
        open_like_nbgrader(url)
    assert len(looked) == 1


def test_nothing_is_locked_and_nothing_is_left(url, tiny):
    """While a student's code runs, others can write; afterwards there is no connection that a fork could inherit."""
    with shared_gradebook(url):
        books = open_like_nbgrader(url)
        assert books[0].engine.pool.checkedout() == 0, "a session is still open"
        with contextlib.closing(sqlite3.connect(tiny / "gradebook.db", timeout=0)) as other:
            other.execute("BEGIN EXCLUSIVE")
            other.rollback()
        with Gradebook(url) as book:
            engine = book.engine
            patience = book.db.connection().exec_driver_sql("PRAGMA busy_timeout").scalar()
    assert patience == database.BUSY_SECONDS * 1000
    assert (engine.pool.checkedout(), engine.pool.checkedin()) == (0, 0)


def test_what_is_entered_is_there(url):
    """Also what was made in the block: courses, students."""
    with shared_gradebook(url):
        open_like_nbgrader(url)
    with Gradebook(url) as book:
        assert {student.id for student in book.students} == {"of-tiny", "of-default_course", "of-new"}
        assert {"tiny", "default_course", "new"} <= {course.id for course in book.db.query(api.Course)}


def test_outside_of_the_block_nbgrader_is_as_it_was(url, tiny, tmp_path):
    """Other commands of nbgrader in the same process, and other gradebooks within the block, are left alone."""
    stock = Gradebook.__init__, Gradebook.close
    shutil.copy(tiny / "gradebook.db", tmp_path / "another.db")
    with shared_gradebook(url), Gradebook(f"sqlite:///{tmp_path}/another.db") as another, Gradebook(url) as book:
        assert another.engine is not book.engine
    assert (Gradebook.__init__, Gradebook.close) == stock
    with Gradebook(url) as first, Gradebook(url) as second:
        assert first.engine is not second.engine


def test_the_block_ends_when_grading_fails(url):
    """Whatever a submission raises."""
    stock = Gradebook.__init__
    with contextlib.suppress(KeyError), shared_gradebook(url):
        raise KeyError
    assert Gradebook.__init__ is stock
