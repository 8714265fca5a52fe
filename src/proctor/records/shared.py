"""One engine and one connection for all steps of a submission, where nbgrader makes one of each for each step.

nbgrader's pipeline opens its gradebook about eleven times a submission, and each time connects, looks every table up
and compiles every statement anew: a fifth of what grading costs. `proctor.grading.student` calls `shared_gradebook`
around it. nbgrader's other commands open their gradebook as they always have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from unittest.mock import patch

import sqlalchemy
from nbgrader import api
from nbgrader.auth import Authenticator
from sqlalchemy.engine import Engine
from sqlalchemy.orm import scoped_session, sessionmaker


@lru_cache(maxsize=4)
def _engine(url: str) -> Engine:
    """The engine of this process. What it keeps between two submissions are compiled statements, no connection.

    A server may have been restarted while the student's code ran: a connection is tried before it is used again.
    """
    return sqlalchemy.create_engine(url, future=True, pool_pre_ping=True)


def _open(book: api.Gradebook, engine: Engine, course_id: str, authenticator: Authenticator | None) -> None:
    """Open `book` as nbgrader does, but for the engine and for looking whether its tables and its course are there."""
    book.engine, book.course_id, book.authenticator = engine, course_id, authenticator
    book.db = scoped_session(sessionmaker(autoflush=True, bind=engine, future=True))


@contextmanager
def shared_gradebook(url: str) -> Iterator[None]:
    """Look for the tables and the courses of nbgrader's gradebook at `url` once, however often the block opens it.

    Each session ends where nbgrader ends it, so nothing is locked while the student's code runs. At the end of the
    block there is no connection left, which a forked process or a locked file could suffer from.
    """
    engine, known = _engine(url), set[str]()
    open_stock, close_stock = api.Gradebook.__init__, api.Gradebook.close

    def open_shared(
        book: api.Gradebook, db_url: str, course_id: str = "default_course", authenticator: Authenticator | None = None
    ) -> None:
        if db_url != url:
            open_stock(book, db_url, course_id, authenticator)
            return
        if not known:
            with patch.object(api, "create_engine", lambda *_, **__: engine):
                open_stock(book, db_url, course_id, authenticator)
        else:
            _open(book, engine, course_id, authenticator)
            if course_id not in known:
                book.check_course(course_id=course_id)
        known.add(course_id)

    def close_shared(book: api.Gradebook) -> None:
        book.db.remove() if book.engine is engine else close_stock(book)

    try:
        with patch.multiple(api.Gradebook, __init__=open_shared, close=close_shared):
            yield
    finally:
        engine.dispose()
