"""``nbgrader zip_collect`` on archives as the platforms make them: who is collected, which file, and what is said."""

from pathlib import Path

import pytest
from commands import run
from uploads import (
    CANVAS,
    HONEST,
    MOODLE,
    NOTEBOOK,
    OLD,
    STOCK,
    TINY,
    Download,
    collect,
    tarred,
    zipped,
)

from proctor.collect.choose import Class, choose
from proctor.collect.place import Expression


@pytest.fixture
def moodle(tiny):
    """A course with two students of Moodle, whose expression is in the guide."""
    return Download(tiny, "moodle")


@pytest.fixture
def canvas(tiny):
    """The same with Canvas."""
    return Download(tiny, "canvas")


def collected(download, more, *also, timeout=60):
    """Collect; nothing but the honest students and `also` may be there. Return what was said at the end."""
    download.write()
    outcome = collect(download, more, frozenset(also), timeout)
    assert outcome.harm == [], outcome.said
    return outcome.said.partition("Start transfering")[2]


def handed_in(download, student, name=NOTEBOOK):
    """What has been collected of a student."""
    return (download.course / "submitted" / student / TINY / name).read_bytes()


def test_moodle_without_folders(moodle):
    """Both forms of Moodle's archive are read by one expression."""
    moodle.add(f"Bo Ek_7_assignsubmission_file_{NOTEBOOK}", moodle.notebook("bo"))
    moodle.add(f"Li_8_assignsubmission_file/{NOTEBOOK}", moodle.notebook("li"))
    assert "Not collected" not in collected(moodle, MOODLE, "Bo Ek", "Li")
    assert handed_in(moodle, "Bo Ek") == moodle.notebook("bo")
    assert handed_in(moodle, "Li") == moodle.notebook("li")


def test_a_name_of_moodle_with_a_folders_mark_in_the_files_name(moodle):
    """Without folders, a student can write whatever a path of Moodle's has into a file's name."""
    moodle.add(f"Bo Ek_7_assignsubmission_file_Ada Lovelace_1_assignsubmission_file_{NOTEBOOK}")
    assert "Bo Ek_7_assignsubmission_file_Ada Lovelace_1" in collected(moodle, MOODLE, "Bo Ek")


def test_a_released_name_that_begins_with_a_number(canvas):
    """Another name that begins so could be the end of a student's name and number; a released one could not."""
    (canvas.course / "release" / TINY / "01_tiny.ipynb").write_bytes(canvas.notebook())
    canvas.add("nemoe_44_5_01_tiny.ipynb", b"one")
    canvas.add("eve_666_6_02_tiny.ipynb")
    assert "'eve_666_6_02_tiny.ipynb': it can be read as one student's and as that of '6'" in collected(
        canvas, CANVAS, "44"
    )
    assert handed_in(canvas, "44", "01_tiny.ipynb") == b"one"


@pytest.mark.parametrize("newest", ["tiny.ipynb", "tiny-1.ipynb", "tiny-2.ipynb"])
def test_the_upload_that_canvas_has_numbered_last_counts(canvas, newest):
    """Canvas adds -1 and -2 to a name that it has already; students can write that, too, but not the upload's number."""
    names = [name for name in ("tiny-1.ipynb", "tiny-2.ipynb", "tiny.ipynb") if name != newest] + [newest]
    for number, name in enumerate(names):
        canvas.add(f"nemoe_44_{99998 + number}_{name}", canvas.notebook(name))
    said = collected(canvas, CANVAS, "44")
    assert handed_in(canvas, "44") == canvas.notebook(newest)
    assert said.count("a newer tiny.ipynb of the same student is collected") == 2
    assert "Not collected" not in said


def test_of_one_upload_the_last_attempt_counts(canvas):
    """The same number with two suffixes does not come from Canvas; it is decided all the same."""
    canvas.add("nemoe_44_5_tiny-1.ipynb", b"older")
    canvas.add("nemoe_44_5_tiny-12.ipynb", b"newer")
    collected(canvas, CANVAS, "44")
    assert handed_in(canvas, "44") == b"newer"


def test_a_released_name_that_ends_like_an_attempt(canvas):
    """``tiny-1`` is a notebook of its own if it has been released."""
    (canvas.course / "release" / TINY / "tiny-1.ipynb").write_bytes(canvas.notebook())
    canvas.add("nemoe_44_5_tiny-1.ipynb", b"one")
    canvas.add("nemoe_44_6_tiny-1-1.ipynb", b"two")
    canvas.add("nemoe_44_7_tiny.ipynb", b"three")
    collected(canvas, CANVAS, "44")
    assert (handed_in(canvas, "44", "tiny-1.ipynb"), handed_in(canvas, "44")) == (b"two", b"three")


def test_the_newest_by_its_time(tiny):
    """A platform that writes times into names: the newest counts, and its time is the submission's."""
    download = Download(tiny, "blackboard")
    for day in ("03", "05", "04"):
        download.add(f"hw_eve_attempt_2026-02-{day}-12-00-00_{NOTEBOOK}", day.encode())
    collected(download, f"c.FileNameCollectorPlugin.named_regexp = r'{OLD['blackboard']}'", "eve")
    assert handed_in(download, "eve") == b"05"
    assert handed_in(download, "eve", "timestamp.txt").startswith(b"2026-02-05 ")


def test_two_files_of_which_nothing_says_which_is_newer(canvas):
    """Neither is collected, and only this student waits for a person."""
    canvas.add("nemoe_44_5_tiny.ipynb")
    canvas.beside("nemoe_44_5_tiny.ipynb")
    assert "nothing says which is newer: leave one of them" in collected(canvas, CANVAS)


def test_two_downloads_of_one_class(moodle):
    """The one of last week is still in the folder: nothing of it is mixed with today's, and what to do is said."""
    moodle.write()
    again = moodle.folder / "of last week.zip"
    again.write_bytes((moodle.folder / "submissions.zip").read_bytes())
    outcome = collect(moodle, MOODLE, frozenset())
    assert sorted(outcome.harm) == [f"{student} is not collected" for student in sorted(HONEST["moodle"])]
    assert outcome.said.count("leave one of them (or one download) in the archive folder") == 4


def test_unpacked_by_hand(canvas):
    """Files that lie unpacked beside an archive are collected as they are."""
    canvas.beside(f"nemoe_44_5_{NOTEBOOK}", b"by hand")
    collected(canvas, CANVAS, "44")
    assert handed_in(canvas, "44") == b"by hand"


@pytest.mark.parametrize("pack", [zipped, tarred, lambda files: tarred(files, "w")], ids=["a.zip", "a.tar.gz", "a.tar"])
def test_packed_again(moodle, pack, request):
    """Zip and tar files are unpacked, and with `folders_above` those that somebody has packed with a folder around all."""
    files = [(f"C-tiny-12/Bo Ek_7_assignsubmission_file_/{NOTEBOOK}", b"packed again", {})]
    collected(moodle, MOODLE)
    moodle.beside(request.node.callspec.id, pack(files))
    (moodle.folder / "submissions.zip").unlink()
    first = collect(moodle, "", frozenset())
    assert "is not where the platform puts a student's file" in first.said
    assert not (moodle.course / "submitted" / "Bo Ek").exists()
    collect(moodle, "c.PlatformExtractor.folders_above = 1", frozenset())
    assert handed_in(moodle, "Bo Ek") == b"packed again"


def test_an_archive_of_another_kind(moodle):
    """It is named with what to do."""
    moodle.beside("all.rar", b"Rar!\x1a\x07\x01\x00")
    assert "'all.rar': archives of this kind are not unpacked: download or pack it as .zip" in collected(moodle, MOODLE)


def test_new_students_are_named(moodle):
    """With a roster in the gradebook, whoever is not in it is named: it may be a student under another name."""
    done = run(moodle.course, "nbgrader", "db", "student", "add", "Ada Lovelace")
    assert done.returncode == 0, done.stderr
    moodle.add(f"\u0410da Lovelace_9_assignsubmission_file_/{NOTEBOOK}")  # with a Cyrillic letter
    said = collected(moodle, MOODLE, "\u0410da Lovelace")
    assert "New to the gradebook (is each of them in your class?): \"Zoë d'Été\", '\u0410da Lovelace'" in said


def test_before_anybody_is_known(moodle):
    """Without a roster everybody is new, which is no warning."""
    assert "The gradebook knows nobody yet. New: 'Ada Lovelace'" in collected(moodle, MOODLE)


def test_known_students_only(moodle):
    """A course with a roster can have others left out."""
    for student in HONEST["moodle"]:
        run(moodle.course, "nbgrader", "db", "student", "add", student)
    moodle.eve()
    said = collected(moodle, f"{MOODLE}\nc.PlatformCollector.known_only = True")
    assert "the gradebook does not know 'Eve Il 0': add the student there first" in said


def test_other_files_beside_a_notebook(moodle):
    """Who is collected need not be asked for anything: what else was left out is told apart, without advice."""
    moodle.eve()
    moodle.eve("data/extra.ipynb")
    moodle.eve("data.zip", zipped([("x.csv", b"1")]))
    moodle.eve(".ipynb_checkpoints/tiny-checkpoint.ipynb")
    moodle.eve("notes.pdf", b"%PDF-")
    said = collected(moodle, MOODLE, moodle.eves_id)
    assert "Not collected" not in said
    assert "ask the student" not in said
    assert said.partition("Collected, but not these files of theirs:")[2].count(moodle.eves_id) == 2


def test_a_notebook_with_another_name_and_ending(moodle):
    """Windows' .IPYNB is not nbgrader's, and is named; another name is collected, and for grading to tell."""
    moodle.eve("TINY.IPYNB")
    moodle.add(f"Bo Ek_7_assignsubmission_file_/{TINY} (1).ipynb")
    said = collected(moodle, MOODLE, "Bo Ek")
    assert "TINY.IPYNB': the student has handed in this, and no notebook" in said
    assert handed_in(moodle, "Bo Ek", f"{TINY} (1).ipynb")


def test_more_than_one_notebook(moodle):
    """All notebooks of a student are collected."""
    for name in ("one.ipynb", "two.ipynb"):
        moodle.eve(name)
    collected(moodle, MOODLE, moodle.eves_id)
    assert handed_in(moodle, moodle.eves_id, "one.ipynb") == handed_in(moodle, moodle.eves_id, "two.ipynb")


def test_two_people_of_whom_the_gradebook_knows_one_spelling():
    """Where capitals do not make two folders, the known spelling keeps its own."""
    files = {
        Path(name): f"{name}_{number}_assignsubmission_file_/{NOTEBOOK}" for number, name in enumerate(("Ada", "ada"))
    }
    expression = Expression(OLD["moodle"])

    def chosen(known, case_matters):
        of = Class(frozenset(), frozenset(known), frozenset([".x", ""]), case_matters=case_matters)
        return {place.student for place in choose(files, expression, of).files.values()}

    assert chosen([], True) == {"Ada", "ada"}
    assert chosen([], False) == set()
    assert chosen(["Ada"], False) == {"Ada"}


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "has no group student_id and file_id"),
        ("(?P<student_id>.*)", "has no group file_id"),
        ("(?P<student_id>", "is no regular expression"),
    ],
)
def test_an_expression_that_cannot_work(moodle, expression, words):
    """Nothing is collected, and where to find one is said."""
    moodle.write()
    outcome = collect(moodle, f"c.FileNameCollectorPlugin.named_regexp = r'{expression}'", frozenset())
    assert "the command ends for the whole class" in outcome.harm
    assert f"c.FileNameCollectorPlugin.named_regexp {words}" in outcome.said


def test_a_course_keeps_its_own_plugins(moodle):
    """What the configuration names before ``proctor.configure(c)`` stays."""
    config = moodle.course / "nbgrader_config.py"
    config.write_text(config.read_text().replace("proctor.configure(c)", f"{STOCK}\nproctor.configure(c)"))
    moodle.write()
    said = collect(moodle, f"c.FileNameCollectorPlugin.named_regexp = r'{OLD['moodle']}'", frozenset()).said
    assert "Using file extractor: ExtractorPlugin" in said
    assert "Using file collector: FileNameCollectorPlugin" in said


def test_what_was_unpacked_otherwise(moodle):
    """With another extractor, or none, paths count from the folder of unpacked files on."""
    moodle.write()
    stock = STOCK.splitlines()[1]
    said = collect(moodle, f"{MOODLE}\n{stock}", frozenset()).said
    assert said.count("is not where the platform puts a student's file") == 2
