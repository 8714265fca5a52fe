"""What leaves for other tools has their columns, the gradebook's scores, and nothing that a spreadsheet would run."""

import graded_class
import pytest
import tiny_course
from commands import export, run
from graded_class import Graded
from nbgrader.api import Gradebook

ADA = Graded("ada", name=("Ada", "Lovelace"), email="ada@example.org")
BO = Graded("bo", ("passed", "failed"), name=("Bo", "=Katz"), email="bo@example.org", by_hand=2.5, late=30, penalty=0.5)
DI = Graded("di", ("undecided", "passed"))
TWINS = [Graded(f"li{number:g}", ("failed", "passed"), name=("Ada", "Li"), by_hand=number) for number in (1.0, 2.0)]
ODD = ["Zoë Ünal", "o'neil.j.", "a" * 120, "=cmd|' !A0'", "-2+3", "名前", "a%b"]
PLUGINS = ["ExerciseExport", "CanvasExport", "MoodleExport"]


@pytest.fixture(scope="module")
def course(released_tiny_course, tmp_path_factory):
    """Three graded students and one who has not handed in; one is known to the platform. Tests only read it."""
    course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("exports") / "course")
    graded_class.grade(course, ADA, BO, DI)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "custom-training") as book:
        book.update_or_create_student("ada", lms_user_id="4711")
        book.add_student("absent")
    return course


@pytest.fixture
def exported(tmp_path, capsys):
    """Run nbgrader's export with one of our plug-ins; return the rows of its file and what it said."""

    def exported(course, plugin, *options, package="proctor", **more):
        rows = export(course, f"{package}.{plugin}", tmp_path / "out.csv", *options, **more)
        return rows, capsys.readouterr().err

    return exported


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_command_takes_it(course, plugin, tmp_path):
    """As it is typed: ``nbgrader export --exporter=…`` writes the file, and has nothing to warn of but who waits."""
    done = run(course, "nbgrader", "export", f"--exporter=proctor.{plugin}", "--to", str(tmp_path / "out.csv"))
    assert done.returncode == 0, done.stderr
    assert "ada" in (tmp_path / "out.csv").read_text()
    assert [line for line in done.stderr.splitlines() if "WARNING" in line and "wait for a person" not in line] == []


def test_one_column_for_each_exercise_and_test(course, exported):
    """Nbgrader's own columns first; a person's score stands in the exercise, the tests' results beside it."""
    (head, *lines), _ = exported(course, "ExerciseExport", encoding="utf-8-sig")
    rows = {line[3]: dict(zip(head, line, strict=True)) for line in lines}
    own = ["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score"]
    assert head[:11] == [*own, "late_submission_penalty", "score", "max_score"]
    assert head[12:] == ["test_double", "test_double: test_values", "test_double: test_arrays"]
    assert [float(rows["bo"][name]) for name in ("raw_score", "late_submission_penalty", "score")] == [2.5, 0.5, 2.0]
    assert [float(rows["bo"][name]) for name in head[12:]] == [2.5, 2.0, 0.0]
    assert rows["bo"]["last_name"] == "'=Katz"
    assert rows["di"]["test_double: test_values"] == "?"
    assert rows["di"]["needs_manual_grade"] == "1"
    assert (float(rows["absent"]["score"]), rows["absent"]["test_double"]) == (0.0, "")


def test_scores_agree_with_nbgraders_own_export(course, exported):
    """Same students, same scores as the plain ``nbgrader export``."""
    (head, *lines), _ = exported(course, "ExerciseExport", encoding="utf-8-sig")
    (own, *others), _ = exported(course, "CsvExportPlugin", package="nbgrader.plugins")
    scores = {line[head.index("student_id")]: float(line[head.index("score")]) for line in lines}
    assert scores == {line[own.index("student_id")]: float(line[own.index("score")]) for line in others}


def test_only_the_chosen_students(course, exported):
    """``--student`` and ``--assignment`` work as in nbgrader's own export; an unknown assignment is named."""
    (_, *lines), _ = exported(course, "ExerciseExport", "--student=ada", encoding="utf-8-sig")
    assert [line[3] for line in lines] == ["ada"]
    lines, said = exported(course, "ExerciseExport", "--assignment=nothing", encoding="utf-8-sig")
    assert len(lines) == 1
    assert "no assignment 'nothing'" in said


def test_canvas(course, exported):
    """Canvas' five columns in its order, the row of possible points, and nobody without a score."""
    (head, possible, *lines), said = exported(course, "CanvasExport", "--CanvasExport.titles=tiny=Tiny (99)")
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Tiny (99)"]
    assert "Points Possible" in possible[0]
    assert float(possible[5]) == 3.0
    assert {line[3]: float(line[5]) for line in lines} == {"ada": 3.0, "bo": 2.0, "di": 1.0}
    assert next(line for line in lines if line[3] == "ada")[:2] == ["Lovelace, Ada", "4711"]
    assert next(line for line in lines if line[3] == "bo")[0] == "'=Katz, Bo"
    assert "1 submissions still wait for a person" in said


def test_ids_can_be_the_platforms_numbers(course, exported):
    """After ``zip_collect`` from Canvas they are: then they go where Canvas looks first, unless a number is known."""
    (_, _, *lines), _ = exported(course, "CanvasExport", "--CanvasExport.login=number")
    assert {(line[1], line[3]) for line in lines} == {("4711", ""), ("bo", ""), ("di", "")}


def test_moodle(course, exported):
    """Columns to identify a student by, the grade, and feedback beside it."""
    (head, *lines), _ = exported(course, "MoodleExport", "--MoodleExport.login=email")
    identity = ["Username", "ID number", "Email address", "First name", "Last name"]
    assert head == [*identity, "tiny", "tiny feedback"]
    rows = {line[3]: line for line in lines if line[3]}
    assert rows["Ada"][:3] == ["ada@example.org", "4711", "ada@example.org"]
    assert float(rows["Bo"][5]) == 2.0
    assert rows["Bo"][6] == "double 2.5 of 3; late penalty 0.5"
    assert len(lines) == 3


def test_the_missing_get_a_zero_if_asked(course, exported):
    """Who has not handed in is left out, or gets the score that the settings say."""
    (_, _, *lines), _ = exported(course, "CanvasExport", "--CanvasExport.missing=0")
    assert {line[3]: float(line[5]) for line in lines}["absent"] == 0.0


def test_students_of_all_kinds(tiny, exported):
    """Odd ids are text in every file; two of one name keep their own scores; files that are gone cost nobody a line."""
    graded_class.grade(tiny, *map(Graded, ODD), *TWINS)
    (tiny / "submitted/li1").rename(tiny / "moved")
    ids = {f"'{name}" if name[0] in "=-" else name for name in (*ODD, "li1", "li2")}
    for plugin, (login, score) in zip(PLUGINS, [(3, 9), (3, 5), (0, 5)], strict=True):
        (_, *lines), said = exported(tiny, plugin, encoding="utf-8-sig")
        points = {line[login]: float(line[score]) for line in lines if line[login]}
        assert set(points) == ids
        assert (points["li1"], points["li2"], points["Zoë Ünal"]) == (1.0, 2.0, 3.0)
        assert "The id '-2+3' begins like a formula" in said


@pytest.mark.parametrize("plugin", PLUGINS)
def test_scores_that_are_not_there_or_old_are_said(tiny, exported, plugin):
    """Before grading, after a change of the hidden tests, for who is new: a file with what there is, and a word."""
    _, said = exported(tiny, plugin)
    assert "tiny has no grades yet: run proctor grade" in said
    graded_class.grade(tiny, ADA, BO)
    assert "run proctor grade" not in exported(tiny, plugin)[1]
    with (tiny / "grader_tests/tiny/test_double.py").open("a") as tests:
        tests.write("\n# stricter\n")
    tiny_course.submit(tiny, "new")
    lines, said = exported(tiny, plugin)
    assert "tiny: 1 submissions are not graded yet, and 2 have changed since, or their tests" in said
    assert [line for line in lines if "ada" in line]
    assert not [line for line in lines if "new" in line]
