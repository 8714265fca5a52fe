"""Nbgrader's gradebook on a real PostgreSQL server: same scores, nothing lost, no password anywhere."""

import json
import subprocess
import threading
import urllib.request
from pathlib import Path

import lab
import pytest
import servers
import tiny_course
from commands import release, run
from waiting import until

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
        release(root, tiny_course.ASSIGNMENT)
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


def ask(server: lab.Lab, path: str, **changes: object) -> object:
    """One request to formgrader's interface, as its pages make them."""
    request = urllib.request.Request(f"{server.address}/formgrader/api/{path}")
    request.add_header("Authorization", f"token {lab.TOKEN}")
    if changes:
        request.method, request.data = "PUT", json.dumps(changes).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def all_text_below(*folders: Path) -> str:
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return "".join(path.read_bytes().decode(errors="replace") for path in files)


def test_three_workers_and_formgrader_share_one_database(dask, course, postgres, tmp_path):
    """Scores are those of SQLite, a person's comments and points made meanwhile stay, and the password stays secret."""
    root, expected = course(15)
    tiny_course.submit(root, "00-right", SNOOP)
    assert run(root, "proctor", "grade", "--student", "00-right", "--student", "02-wrong").returncode == 0
    comments: list[str] = []
    over = threading.Event()

    def look_and_write(server: lab.Lab) -> None:
        while not over.is_set():
            ask(server, "submissions/tiny")
            (grade,) = ask(server, f"grades?submission_id={notebook}")
            ask(server, f"grade/{grade['id']}", manual_score=1.5)
            comments.append(f"looked {len(comments)} times")
            (comment,) = ask(server, f"comments?submission_id={notebook}")
            ask(server, f"comment/{comment['id']}", manual_comment=comments[-1])

    with servers.cluster(tmp_path / "dask", 3) as found, lab.running(root, tmp_path / "home") as server:
        students = {book["id"]: book["student"] for book in ask(server, "submitted_notebooks/tiny/tiny")}
        notebook = next(book for book, student in students.items() if student == "02-wrong")
        person = threading.Thread(target=look_and_write, args=[server])
        person.start()
        try:
            done = run(root, "proctor", "grade", "--scheduler", found.address)
        finally:
            over.set()
            person.join()
        logs = found.logs + server.log.read_text()
    assert "13 graded, 2 unchanged, 0 not graded" in done.stdout, done.stderr
    assert len(comments) > 2
    assert points(postgres) == {**expected, "02-wrong": 1.5}
    last = postgres.psql(servers.DATABASE, "SELECT manual_comment FROM comment WHERE manual_comment IS NOT NULL")
    assert last.strip() == comments[-1]
    upgraded = run(root, "nbgrader", "db", "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    exported = run(root, "nbgrader", "export", "--log-level=DEBUG")
    said = "".join(done.stdout + done.stderr for done in (done, upgraded, exported))
    assert servers.PASSWORD not in said + logs + all_text_below(root, tmp_path / "dask", tmp_path / "home")


def test_a_database_that_goes_away_is_waited_for_and_costs_no_score(course, postgres):
    """Seconds without a server need no second command; if it stays away, the run ends with one line."""
    root, expected = course(16)
    with (root / "nbgrader_config.py").open("a") as config:
        config.write("c.ProctoredExecute.database_timeout = 8.0\n")
    with (root / "said.txt").open("wb") as said:
        grading = subprocess.Popen(["proctor", "grade", "--jobs", "2"], cwd=root, stdout=said, stderr=said)

    def graded() -> int:
        return (root / "said.txt").read_text().count(": graded")

    assert until(lambda: graded() >= 2, 120)
    postgres.stop()
    try:
        assert not until(lambda: grading.poll() is not None, 3)
        before = graded()
    finally:
        postgres.start()
    assert until(lambda: graded() >= before + 2, 120), (root / "said.txt").read_text()
    postgres.stop()
    try:
        assert grading.wait(60) == 2
        without = run(root, "proctor", "grade")
    finally:
        postgres.start()
    said = (root / "said.txt").read_text()
    assert said.count("proctor: the gradebook's database cannot be used: ") == 1, said
    assert "Traceback" not in said
    assert (without.returncode, "check PROCTOR_DB_URL and the server" in without.stderr) == (2, True), without.stderr
    after = run(root, "proctor", "grade")
    assert ", 0 not graded" in after.stdout, after.stderr
    assert "16 graded" not in after.stdout
    assert points(postgres) == expected
    assert servers.PASSWORD not in said + without.stderr + all_text_below(root / ".proctor", root / "autograded")


def test_wrong_credentials_are_told_without_repeating_them(course, postgres, monkeypatch):
    """A wrong password, a wrong port, a URL that is none, a driver that is not there: a line, and no password in it."""
    root, _ = course(1)
    for url, expected in {
        postgres.url("wrongcanary4711"): "password authentication failed",
        postgres.url(port=9): "check PROCTOR_DB_URL and the server",
        "postgresql+psycopg://grader:canary4711@host:port/db": "PROCTOR_DB_URL: expected postgresql+psycopg://",
        "postgresql+pg8000://grader:canary4711@127.0.0.1/db": "PROCTOR_DB_URL: No module named 'pg8000'",
        "oracle7://grader:canary4711@127.0.0.1/db": "PROCTOR_DB_URL: expected postgresql+psycopg://",
    }.items():
        monkeypatch.setenv("PROCTOR_DB_URL", url)
        ours = run(root, "proctor", "grade")
        assert ours.returncode == 2
        assert expected in ours.stderr, ours.stderr
        assert "Traceback" not in ours.stderr, ours.stderr
        assert "ary4711" not in ours.stdout + ours.stderr
        if "wrong" in url or ":port" in url:
            theirs = run(root, "nbgrader", "autograde", "tiny", "--force")
            assert theirs.returncode != 0
            assert "ary4711" not in theirs.stdout + theirs.stderr


def test_special_characters_in_a_password_work_in_every_command(course, postgres, monkeypatch):
    """Nbgrader's own ``db upgrade`` trips over a percent sign in its URL; ours has no password in it."""
    root, expected = course(1)
    odd = "p@ss%/:4711 word"
    try:
        postgres.psql("postgres", f"ALTER ROLE {servers.USER} PASSWORD '{odd}'")
        monkeypatch.setenv("PROCTOR_DB_URL", postgres.url("p%40ss%25%2F%3A4711%20word"))
        upgraded = run(root, "nbgrader", "db", "upgrade")
        assert upgraded.returncode == 0, upgraded.stderr
        assert "4711" not in upgraded.stderr + upgraded.stdout
        assert run(root, "proctor", "grade").returncode == 0
    finally:
        postgres.psql("postgres", f"ALTER ROLE {servers.USER} PASSWORD '{servers.PASSWORD}'", password=odd)
    assert points(postgres) == expected
