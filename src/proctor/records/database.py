"""What nbgrader's gradebook needs for many writers: patience with a busy SQLite, a server that may go away, indexes.

``nbgrader_config.py`` calls `configure`, so that every nbgrader route has it. `proctor.grading.student` asks `watched`
what went wrong with the database, and `wait_for` it. Nothing here, and no message from here, holds a password.
"""

import contextlib
import io
import os
import time
from collections.abc import Iterator

import sqlalchemy
from sqlalchemy import event, exc
from sqlalchemy.engine import URL, Engine, make_url

from proctor.course.quiet import captured_logs
from proctor.errors import CourseError, DatabaseGone
from proctor.settings import DB_URL

BUSY_SECONDS = 120  # one commit takes milliseconds; this is for hundreds of writers that wait for each other
CONNECT_SECONDS = 10
LIBPQ = {"psycopg", "psycopg2", "psycopg_async"}
EXPECTED = f"{DB_URL}: expected postgresql+psycopg://USER@HOST:PORT/DATABASE"
# nbgrader looks a submission's rows up by these columns and has an index on none of them, so that each lookup reads
# the whole class.
INDEXES = {"grade": "notebook_id", "comment": "notebook_id", "submitted_notebook": "assignment_id"}
# Of nbgrader's gradebook, which borrows Tornado's, and of what is under it.
LOGGERS = ("tornado.application", "sqlalchemy", "psycopg")

_troubles: list[str] | None = None


def configure(default: str) -> str:
    """Return the gradebook's URL for nbgrader: that of `PROCTOR_DB_URL`, without its password, or else `default`.

    nbgrader writes its URL into logs and temporary files. libpq finds the password in ``PGPASSWORD`` as well, which
    nobody prints. What is no URL ends the command, unrepeated: of an ordinary exception in its configuration, nbgrader
    prints the traceback and goes on with another gradebook.
    """
    _listen()
    text = os.environ.get(DB_URL)
    if not text:
        return default
    try:
        url = make_url(text)
        dialect = url.get_dialect()
        dialect.import_dbapi()
    except (exc.SQLAlchemyError, ValueError):
        raise SystemExit(f"{DB_URL}: {EXPECTED}; write special characters of a password as in %40 for @") from None
    except ImportError as error:
        raise SystemExit(f"{DB_URL}: {error}; `pip install 'proctor[cluster]'` installs psycopg") from None
    if dialect.driver in LIBPQ:
        os.environ.setdefault("PGCONNECT_TIMEOUT", str(CONNECT_SECONDS))
        url = _kept_apart(url)
    elif url.password:
        raise SystemExit(f"{EXPECTED}; with {dialect.driver}, nbgrader would log the password")
    return url.render_as_string(hide_password=False)


def _kept_apart(url: URL) -> URL:
    """Put the password of `url` where libpq looks for it, and return the rest."""
    hidden = url.password or url.query.get("password")
    if hidden:
        os.environ["PGPASSWORD"] = str(hidden)
    # `URL.set` takes None for "as it is".
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
    return bare.difference_update_query(["password"])


def _listen() -> None:
    for name, listener in (("connect", _be_patient), ("handle_error", _note)):
        if not event.contains(Engine, name, listener):
            event.listen(Engine, name, listener)


def _be_patient(connection: object, record: object) -> None:
    """Wait for other writers of an SQLite gradebook: Python's 5 seconds are too few for a class on many cores."""
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")  # type: ignore[attr-defined]


def _note(context: sqlalchemy.engine.ExceptionContext) -> None:
    error = context.original_exception
    unreachable = context.is_disconnect or isinstance(context.sqlalchemy_exception, exc.OperationalError)
    if _troubles is not None and unreachable and not _is_about_tables(error):
        _troubles.append(_without_password(str(error)))


def _is_about_tables(error: BaseException) -> bool:
    """Whether SQLite was reached and complains of the gradebook's form: waiting does not help."""
    text = str(error)
    return type(error).__module__.startswith("sqlite3") and "locked" not in text and "unable to open" not in text


@contextlib.contextmanager
def watched() -> Iterator[tuple[list[str], io.StringIO]]:
    """Collect what the driver says when the database cannot be reached or is busy for too long, and what is logged."""
    global _troubles
    found: list[str] = []
    _troubles = found
    try:
        with captured_logs(*LOGGERS) as log:
            yield found, log
    finally:
        _troubles = None


def wait_for(url: str, reason: str, seconds: float) -> None:
    """Return as soon as the database answers. Raises `DatabaseGone`, with the first `reason`, after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        engine = sqlalchemy.create_engine(url)
        try:
            with captured_logs(*LOGGERS), engine.connect():
                return
        except exc.SQLAlchemyError as error:
            if time.monotonic() > end:
                raise DatabaseGone(f"{explain(error)} (waited {seconds:g} s; at first: {reason})") from None
        finally:
            engine.dispose()
        time.sleep(min(1.0, seconds / 10))


def explain(error: Exception) -> str:
    """What a person should know about an error of the database, without its password, and what to do."""
    reason = _without_password(str(getattr(error, "orig", None) or error))
    if isinstance(error, exc.OperationalError) and not type(error.orig).__module__.startswith("sqlite3"):
        return f"the gradebook's database cannot be used: {reason}; check {DB_URL} and the server"
    return f"the gradebook cannot be used: {reason}; back it up, then try `nbgrader db upgrade`"


def _without_password(text: str) -> str:
    password = os.environ.get("PGPASSWORD", "")
    return " ".join((text.replace(password, "***") if password else text).split())


def add_indexes(engine: Engine) -> None:
    """Add to nbgrader's tables the indexes that keep the cost of a submission the same in any class.

    An nbgrader without proctor uses them, too, and its ``db upgrade`` leaves them alone.
    """
    # Looked up first: PostgreSQL locks a table even to find that the index is there, and asks for its owner.
    there = sqlalchemy.inspect(engine)
    for table, column in INDEXES.items():
        name = f"ix_proctor_{table}_{column}"
        if name not in {index["name"] for index in there.get_indexes(table)}:
            with engine.begin() as connection:
                connection.execute(sqlalchemy.text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"))


def identity(url: str, assignment: str) -> str:
    """Tell this gradebook from any other one: nbgrader gives `assignment` a random id in each.

    Raises `CourseError` if the gradebook cannot be used or does not know the assignment.
    """
    from nbgrader.api import Gradebook, MissingEntry

    try:
        with captured_logs(*LOGGERS), Gradebook(url) as gradebook:
            return str(gradebook.find_assignment(assignment).id)
    except MissingEntry:
        return "without this assignment"
    except exc.SQLAlchemyError as error:
        raise CourseError(explain(error)) from None
