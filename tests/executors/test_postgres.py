"""Nbgrader's gradebook on a real PostgreSQL server: same scores, nothing lost, no password anywhere."""

import json
import os
import signal
import socket
import urllib.request
from pathlib import Path

import lab
import pytest
import servers
import tiny_course
from commands import UnderWay, grading, run

from proctor.cli import main as cli

pytestmark = pytest.mark.timeout(300)
SNOOP = f"""
import os, glob, sys
said = dict(os.environ)
for path in [*glob.glob("/proc/*/environ"), *glob.glob("/proc/*/cmdline")]:
    try:
        said[path] = open(path, "rb").read()
    except OSError:
        pass
assert "canary" + "4711" not in str(said), "the password is here"
assert not any("PROCTOR_DB" in name or name.startswith("PG") for name in os.environ)
{tiny_course.RIGHT}"""


@pytest.fixture
def course(class_of, postgres, monkeypatch):
    """Makes a class of a given size, with its gradebook in a fresh database."""

    def make(size: int) -> tuple[Path, dict[str, float]]:
        root, expected = class_of(size)
        monkeypatch.setenv("PROCTOR_DB_URL", postgres.fresh())
        (root / "gradebook.db").unlink()
        return root, expected

    return make


def points(postgres: servers.Postgres) -> dict[str, float]:
    """Scores as PostgreSQL has them, asked without nbgrader."""
    rows = postgres.psql(
        servers.DATABASE,
        "SELECT s.student_id, sum(coalesce(g.manual_score, g.auto_score)) FROM submitted_assignment s "
        "JOIN submitted_notebook n ON n.assignment_id = s.id JOIN grade g ON g.notebook_id = n.id GROUP BY 1",
    )
    return {name: float(score) for name, score in (row.split("|") for row in rows.split())}


def all_text_below(*folders: Path) -> str:
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return "".join(path.read_bytes().decode(errors="replace") for path in files)


class Person:
    """Somebody who looks at a graded submission in formgrader, gives points, and writes comment after comment."""

    def __init__(self, server: lab.Lab, done: UnderWay) -> None:
        self._server = server
        books = self._ask("submitted_notebooks/tiny/tiny")
        book = next(book for book in books if f"] {book['student']}: graded" in done.said)
        self.student, self._notebook = book["student"], book["id"]
        self.comments: list[str] = []

    def look_and_write(self) -> None:
        self._ask("submissions/tiny")
        (grade,) = self._ask(f"grades?submission_id={self._notebook}")
        self._ask(f"grade/{grade['id']}", manual_score=1.5)
        self.comments.append(f"looked {len(self.comments)} times")
        (comment,) = self._ask(f"comments?submission_id={self._notebook}")
        self._ask(f"comment/{comment['id']}", manual_comment=self.comments[-1])

    def _ask(self, path: str, **changes: object) -> object:
        """One request to formgrader's interface, as its pages make them."""
        request = urllib.request.Request(f"{self._server.address}/formgrader/api/{path}")
        request.add_header("Authorization", f"token {lab.TOKEN}")
        if changes:
            request.method, request.data = "PUT", json.dumps(changes).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())


def test_three_workers_and_formgrader_share_one_database(dask, course, postgres, tmp_path):
    """Scores are those of SQLite although a worker is lost, a person's points and comments stay, nobody waits for long.

    The password stays secret, and its special characters trouble no command: not even nbgrader's ``db upgrade``, which
    trips over a percent sign in its URL.
    """
    root, expected = course(16)
    tiny_course.submit(root, "00-right", SNOOP)
    tiny_course.hold_after(root, 3)
    with servers.cluster(tmp_path / "dask", 3) as found, lab.running(root, tmp_path / "home") as server:
        with grading(root, "--scheduler", found.address) as done:
            done.wait_for(3)
            person = Person(server, done)
            person.look_and_write()
            lost = found.workers.pop()
            os.kill(lost.pid, signal.SIGKILL)
            lost.wait()
            tiny_course.let_go(root)
            while done.process.poll() is None:
                person.look_and_write()
        logs = found.logs + server.log.read_text()
    assert "16 graded, 0 unchanged, 0 not graded" in done.said
    assert points(postgres) == {**expected, person.student: 1.5}
    last = postgres.psql(servers.DATABASE, "SELECT manual_comment FROM comment WHERE manual_comment IS NOT NULL")
    assert last.strip() == person.comments[-1]
    assert "still waiting for" not in postgres.log
    assert "deadlock" not in postgres.log
    upgraded = run(root, "nbgrader", "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    exported = run(root, "nbgrader", "export", "--log-level=DEBUG")
    said = done.said + "".join(done.stdout + done.stderr for done in (upgraded, exported))
    assert servers.SECRET not in said + logs + all_text_below(root, tmp_path / "dask", tmp_path / "home")


def test_a_database_that_goes_away_is_waited_for_and_costs_no_score(course, postgres):
    """A server that is restarted needs no second command; if it stays away, the run ends with one line."""
    root, expected = course(10)
    config = root / "nbgrader_config.py"
    tiny_course.hold_after(root, 2)
    with grading(root, "--jobs", "2") as first:
        first.wait_for(2)
        postgres.stop()
        try:
            tiny_course.hold_after(root, 5)
            knocked_at(postgres.port)
        finally:
            postgres.start()
        first.wait_for(5)
        config.write_text(config.read_text() + "c.ProctoredExecute.database_timeout = 0.5\n")
    done = len(list((root / ".proctor/graded/tiny").glob("*.json")))  # both jobs may have passed the gate at once
    tiny_course.hold_after(root, done + 1)
    with grading(root, "--jobs", "2") as second:
        second.wait_for(1)
        postgres.stop()
        try:
            tiny_course.let_go(root)
            assert second.process.wait(60) == 2, second.said
            third = run(root, "proctor", "grade")
        finally:
            postgres.start()
    assert second.said.count("proctor: the gradebook's database cannot be used: ") == 1, second.said
    assert (third.returncode, "check PROCTOR_DB_URL and the server" in third.stderr) == (2, True), third.stderr
    after = run(root, "proctor", "grade")
    assert ", 0 not graded" in after.stdout, after.stderr
    assert "10 graded" not in after.stdout
    assert points(postgres) == expected
    said = first.said + second.said + third.stderr + after.stderr
    assert "Traceback" not in said
    assert servers.SECRET not in said + all_text_below(root / ".proctor", root / "autograded")


def knocked_at(port: int) -> None:
    """Return when somebody has tried to reach the server that is not there."""
    with socket.create_server(("127.0.0.1", port)) as door:
        door.settimeout(60)
        door.accept()[0].close()


def test_connections_that_break_while_nbgrader_writes_cost_no_score(course, postgres, monkeypatch, tmp_path):
    """Each of nbgrader's ways to tell of it ends in its log, and none on the terminal. The password is libpq's matter."""
    root, expected = course(4)
    passwords = tmp_path / "pgpass"
    passwords.write_text(f"127.0.0.1:*:*:{servers.USER}:{servers.PASSWORD.replace(':', chr(92) + ':')}\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    monkeypatch.setenv("PROCTOR_DB_URL", postgres.url(password=""))
    postgres.psql(
        servers.DATABASE,
        "CREATE SEQUENCE writes; "
        "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('writes') % 4 = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NEW; END $$; "
        "CREATE TRIGGER break BEFORE INSERT OR UPDATE ON submitted_assignment FOR EACH ROW EXECUTE FUNCTION break(); ",
    )
    done = run(root, "proctor", "grade")
    assert "terminating connection due to administrator command" in postgres.log
    assert "4 graded, 0 unchanged, 0 not graded" in done.stdout, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert points(postgres) == expected


def test_wrong_credentials_are_told_without_repeating_them(course, postgres, monkeypatch, capfd):
    """A wrong password, a wrong port, a URL that is none, a driver that is not there: a line, and no password in it."""
    root, _ = course(1)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PGPASSWORD", "")  # what ours puts there is not for other tests
    for url, expected in {
        postgres.url("wrongcanary4711"): "password authentication failed",
        postgres.url(port=9): "check PROCTOR_DB_URL and the server",
        "postgresql+psycopg://grader:canary4711@host:port/db": "PROCTOR_DB_URL: expected postgresql+psycopg://",
        "postgresql+pg8000://grader:canary4711@127.0.0.1/db": "PROCTOR_DB_URL: No module named 'pg8000'",
        "sqlite://grader:canary4711@/gradebook.db": "with pysqlite, nbgrader would log the password",
        "oracle7://grader:canary4711@127.0.0.1/db": "PROCTOR_DB_URL: expected postgresql+psycopg://",
    }.items():
        monkeypatch.setenv("PROCTOR_DB_URL", url)
        assert cli.main(["grade"]) == 2
        ours = capfd.readouterr()
        assert expected in ours.err
        assert ours.err.count("\n") == 1, ours.err
        assert "ary4711" not in ours.out + ours.err
        if "wrong" in url or ":port" in url:
            theirs = run(root, "nbgrader", "autograde", "tiny", "--force")
            assert theirs.returncode != 0
            assert "ary4711" not in theirs.stdout + theirs.stderr
    monkeypatch.setenv("PROCTOR_DB_URL", postgres.url("wrongcanary4711"))
    typed = run(root, "proctor", "grade")
    assert typed.returncode == 2
    assert "Traceback" not in typed.stderr
    assert "ary4711" not in typed.stdout + typed.stderr
