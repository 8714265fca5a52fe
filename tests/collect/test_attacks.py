"""One bad upload costs its author alone: every attack is collected among honest students, who get what they handed in.

Each is made against nbgrader's own plug-ins first, where it does harm (or else the test says why none is shown), and then
against ours: with the expressions of our guide, and with the unanchored ones of before.
"""

import gzip
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import tiny_course
from uploads import EVE, LINK, MB, NOTEBOOK, OLD, PIPE, SETTINGS, STOCK, TINY, Download, collect, tarred, zeros, zipped

ASK = "ask the student"


@dataclass(frozen=True)
class Attack:
    """What is handed in, and what has to be said of it; `only_named`: why it does no harm with nbgrader's own."""

    make: Callable[[Download], None]
    number: int
    platform: str
    says: tuple[str, ...]
    eve_too: bool
    only_named: str
    settings: str


TEXTS_TOO = r"""
c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".txt"]
c.FileNameCollectorPlugin.named_regexp = r".*/(?P<student_id>[^/_]+)_\d+_assignsubmission_file_?/(?P<file_id>[^/]+)$"
"""
ATTACKS: dict[str, Attack] = {}


def attack(*says, platform="moodle", eve_too=False, only_named="", settings=""):
    """Register an attack; `says` are words of the lines that name it, `eve_too`: another file of hers is collected."""

    def register(make):
        ATTACKS[make.__name__] = Attack(make, len(ATTACKS) + 10, platform, says, eve_too, only_named, settings)
        return make

    return register


# An archive inside the platform's archive.


def inside(name, content):
    """An upload that is itself an archive."""
    return lambda download: download.eve(name, content(download) if callable(content) else content)


@attack("hw.zip", "an archive inside an archive is not unpacked", ASK)
def as_another_student(download):
    download.eve("hw.zip", zipped([("Cy Twombly_9_assignsubmission_file_/tiny.ipynb", download.notebook())]))


@attack("hw.zip", "an archive inside an archive")
def as_a_student_who_has_handed_in(download):
    download.eve("hw.zip", zipped([("Ada Lovelace_9_assignsubmission_file_/tiny.ipynb", download.notebook())]))


@attack("hw.zip", "an archive inside an archive", platform="canvas")
def as_another_student_of_canvas(download):
    download.eve("hw.zip", zipped([("x_777_99999_tiny.ipynb", download.notebook())]))


@attack("hw.zip", "an archive inside an archive")
def a_name_that_is_a_script(download):
    place = "<img src=x onerror=alert(1)>_9_assignsubmission_file_/tiny.ipynb"
    download.eve("hw.zip", zipped([(place, download.notebook())]))


@attack("hw.zip", "an archive inside an archive")
def a_way_out_inside(download):
    download.eve("hw.zip", zipped([("../../../../../../out.ipynb", download.notebook())]))


@attack("hw.zip", "an archive inside an archive")
def half_a_gigabyte_in_a_few_kilobytes(download):
    download.eve("hw.zip", zipped([("zeros.bin", zipped([("zeros.bin", zeros(150))]))]))
    download.eve("hw2.zip", zipped([("hw.zip", zipped([("zeros.bin", zeros(150))]))]))


@attack("hw.tar.gz", "an archive inside an archive")
def links_that_go_in_a_circle(download):
    members = [("a", None, {"type": b"2", "linkname": "b"}), ("b", None, {"type": b"2", "linkname": "a"})]
    download.eve("hw.tar.gz", tarred(members))


@attack("tiny.ipynb.gz", "an archive inside an archive")
def a_notebook_with_gzip(download):
    download.eve("tiny.ipynb.gz", gzip.compress(download.notebook()))


@attack("hw.zip", "an archive inside an archive")
def no_archive_at_all(download):
    download.eve("hw.zip", b"not a zip file")


@attack("hw.zip", "an archive inside an archive")
def encrypted_inside(download):
    content = bytearray(zipped([("tiny.ipynb", download.notebook())]))
    content[6] |= 1  # the flag, in both headers
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    download.eve("hw.zip", bytes(content))


@attack("hw.zip", "an archive inside an archive")
def a_file_that_is_longer_than_it_says(download):
    content = zipped([("zeros.bin", zeros(1))])
    download.eve("hw.zip", content.replace(struct.pack("<L", MB), struct.pack("<L", 10)))


@attack("hw.ZIP", "an archive inside an archive", only_named="nbgrader does not take .ZIP for an archive")
def capital_letters(download):
    download.eve("hw.ZIP", zipped([("Cy Twombly_9_assignsubmission_file_/tiny.ipynb", download.notebook())]))


@attack("hw.7z", "an archive inside an archive", only_named="nbgrader says nothing of the student")
def an_archive_that_nobody_unpacks(download):
    download.eve("hw.7z", b"7z\xbc\xaf\x27\x1c")


# Names of files and folders in the upload, which the platform keeps.


@attack("Cy Twombly_9", ASK)
def a_folder_named_like_another_student(download):
    download.eve("Cy Twombly_9_assignsubmission_file_/tiny.ipynb")


@attack("Ada Lovelace_1", ASK)
def a_folder_named_like_one_who_has_handed_in(download):
    download.eve("Ada Lovelace_1_assignsubmission_file_/tiny.ipynb")


@attack("x_777_666", "that of '666'", platform="canvas")
def a_student_who_has_a_number_in_the_name(download):
    download.add("x_777_666_67893_tiny.ipynb")


@attack("x_777_5_LATE", "that of '666'", platform="canvas")
def a_late_student_who_has_numbers_in_the_name(download):
    download.add("x_777_5_LATE_666_67893_tiny.ipynb")


@attack("more like the last one", platform="canvas")
def the_room_of_another_student(download):
    for number in range(120):
        download.add(f"x_777_667_{number}_tiny.ipynb", b"{}")
        download.add(f"x_777_667_{number}_data.csv", b"1")


@attack("'bo'", "nobody's", platform="blackboard")
def a_file_named_like_another_students(download):
    download.eve("x_bo_attempt_2030-01-01-00-00-00_tiny.ipynb")


@attack("the time in its name cannot be read", platform="blackboard")
def a_time_that_is_none(download):
    download.add("hw_eve_attempt_2026-99-99_tiny.ipynb")


@attack("the time in its name cannot be read", platform="blackboard")
def a_time_out_of_range(download):
    download.add("hw_eve_attempt_99999999999999999999999_tiny.ipynb")


@attack(platform="blackboard", eve_too=True, only_named="the newest counts with nbgrader, too")
def two_attempts(download):
    download.eve()
    download.add(f"hw_{download.eves_id}_attempt_2026-01-31-00-00-00_tiny.ipynb")


@attack(eve_too=True)
def two_versions_of_a_notebook(download):
    download.eve("tiny.ipynb")
    download.eve("tiny.v2.ipynb")


@attack("name is too long", eve_too=True)
def a_name_of_more_than_255_bytes(download):
    download.eve("é" * 200 + ".ipynb")
    download.eve()


@attack("cannot be printed", eve_too=True)
def escape_sequences(download):
    download.eve("\x1b]0;pwned\x07.ipynb")
    download.eve()


@attack("cannot be printed")
def a_student_written_from_right_to_left(download):
    download.add("\u202eecalevoL adA_9_assignsubmission_file_/tiny.ipynb")


@attack("a student's id")
def a_script_in_the_place_of_a_student(download):
    download.add("<img src=x onerror=alert(1)>_9_assignsubmission_file_/tiny.ipynb")


@attack("begins with no dot")
def a_student_called_dot_dot(download):
    download.add(".._9_assignsubmission_file_/tiny.ipynb")


@attack("begins with no dot")
def a_student_called_dot(download):
    download.add("._9_assignsubmission_file_/tiny.ipynb")


@attack("takes *, ? and [")
def a_student_called_everybody(download):
    download.add("*_9_assignsubmission_file_/tiny.ipynb")


@attack("ends with no space")
def a_student_with_a_space_behind(download):
    download.add("Ada Lovelace _9_assignsubmission_file_/tiny.ipynb")


@attack("=cmd|' ", "a student's id", only_named="Moodle takes the slash away")
def a_student_who_is_a_formula(download):
    download.add("=cmd|' <C'!A0_9_assignsubmission_file_/tiny.ipynb")


@attack("two people would be 'Al Y'")
def two_people_of_one_name(download):
    download.add("Al Y_8_assignsubmission_file_/tiny.ipynb")
    download.add("Al Y_9_assignsubmission_file_/tiny.ipynb")


@attack("two people would be 'Bea Y'")
def two_people_of_one_name_with_other_notebooks(download):
    download.add("Bea Y_8_assignsubmission_file_/tiny.ipynb")
    download.add("Bea Y_9_assignsubmission_file_/other.ipynb")


@attack("two people would be 'Zoé Y'")
def one_name_in_two_spellings(download):
    download.add("Zoe\u0301 Y_8_assignsubmission_file_/tiny.ipynb")
    download.add("Zo\u00e9 Y_9_assignsubmission_file_/tiny.ipynb")


@attack("two files of this name")
def the_same_name_twice(download):
    download.eve("Tiny.ipynb")
    download.eve("tiny.ipynb")


@attack("two files of this name", only_named="nbgrader takes the last of them")
def the_same_path_twice(download):
    download.eve("tiny.ipynb", b"one")
    download.eve("tiny.ipynb", b"two")


@attack("a file and a folder at once", eve_too=True)
def a_file_that_is_a_folder(download):
    download.eve("a", b"")
    download.eve("a/b.ipynb")
    download.eve()


@attack("cannot hold a file of this name", eve_too=True, settings=TEXTS_TOO)
def a_time_of_the_students_own(download):
    download.eve("timestamp.txt", b"2020-01-01 00:00:00 UTC")
    download.eve("tiny.ipynb")


@attack("report.pdf", "no notebook", only_named="nbgrader says only that a file is skipped")
def another_file_instead(download):
    download.eve("report.pdf", b"%PDF-")


@attack(eve_too=True)
def files_of_macos(download):
    download.eve()
    download.add("__MACOSX/Ada Lovelace_1_assignsubmission_file_/._tiny.ipynb", b"\x00\x05\x16\x07")


# What an archive can say of an entry, if somebody else than the platform has made it.


@attack("it is a link", only_named="a link in a zip file becomes a text file with nbgrader")
def a_link_in_the_zip_file(download):
    download.eve(content=b"/etc/passwd", mode=LINK)


@attack(platform="blackboard", eve_too=True, only_named="nbgrader matches each path once")
def a_name_that_takes_long_to_match(download):
    for number in range(40):
        download.eve("_attempt_" * 10 + "_" * 60 + f"{number}.ipynb")
    download.eve()


@attack("no ordinary file", eve_too=True)
def a_pipe_in_the_zip_file(download):
    download.eve("a.ipynb", b"x", mode=PIPE | 0o4022)
    download.eve()


@attack(eve_too=True)
def rights_of_its_own(download):
    download.eve(mode=0o104777)


@attack("could lead out of the folder")
def an_absolute_path(download):
    download.add("/Cy Twombly_9_assignsubmission_file_/tiny.ipynb")


@attack("could lead out of the folder")
def a_way_out(download):
    download.eve("../Cy Twombly_9_assignsubmission_file_/tiny.ipynb")


@attack("could lead out of the folder")
def a_way_out_with_backslashes(download):
    download.eve("..\\..\\tiny.ipynb")


@attack("could lead out of the folder")
def a_drive(download):
    download.add("C:Cy Twombly_9_assignsubmission_file_/tiny.ipynb")


@attack("packed in a way that no platform uses", only_named="the memory that it asks for is not touched on Linux")
def a_dictionary_of_gigabytes(download):
    download.eve(compress_type=14)


@attack("the file is too large")
def a_notebook_of_zeros(download):
    download.eve(content=zeros(70))


@attack("files are too large together", eve_too=True, settings="c.PlatformExtractor.student_size = 20")
def many_large_files(download):
    download.eve()
    for number in range(6):
        download.eve(f"{number}.bin", zeros(15))


@attack("too many files", "more like the last one", eve_too=True, only_named="they are small")
def many_small_files(download):
    for number in range(3000):
        download.eve(f"{number}.txt", b"")
    download.eve()


@attack(
    "the largest are left out first", settings="c.PlatformExtractor.file_size = 90; c.PlatformExtractor.total_size = 40"
)
def all_of_the_room(download):
    download.eve(content=zeros(62))


@attack("too many folders deep", eve_too=True, only_named="only annoying")
def a_deep_folder(download):
    download.eve("a/" * 60 + "tiny.ipynb")
    download.eve()


# Beside the platform's zip file: what an instructor has unpacked by hand, or put there from a mail.


@attack("hw.zip", "a student's own archive is not unpacked", platform="canvas")
def unpacked_by_hand_as_another_student(download):
    download.beside(f"{download.place}hw.zip", zipped([("x_888_1_tiny.ipynb", download.notebook())]))


@attack("hw.zip", "archives in folders are not unpacked")
def unpacked_by_hand_in_folders(download):
    content = zipped([("Cy Twombly_9_assignsubmission_file_/tiny.ipynb", download.notebook())])
    download.beside(f"{download.place}hw.zip", content)


@attack("hw.zip", "archives in folders are not unpacked")
def unpacked_by_hand_in_a_folder_of_a_folder(download):
    content = zipped([("Cy Twombly_9_assignsubmission_file_/tiny.ipynb", download.notebook())])
    download.beside(f"{download.place}a/hw.zip", content)


@attack("it is a link")
def a_link_to_the_reference(download):
    path = download.beside(f"{download.place}{NOTEBOOK}")
    path.unlink()
    path.symlink_to(download.course / "grader_tests" / TINY / "reference.py")


@attack("no ordinary file")
def a_pipe(download):
    path = download.beside(f"{download.place}{NOTEBOOK}")
    path.unlink()
    os.mkfifo(path)


@attack("cannot be read as an archive", "download it again")
def a_damaged_archive(download):
    download.beside(f"{download.number}.zip", zipped([("tiny.ipynb", download.notebook())])[:-30])


@attack("cannot be read as an archive")
def half_a_tar_file(download):
    download.beside(f"{download.number}.tar.gz", tarred([("tiny.ipynb", os.urandom(100_000), {})])[:50_000])


@attack("it is encrypted")
def an_encrypted_notebook(download):
    content = bytearray(zipped([(f"{download.place}{NOTEBOOK}", download.notebook())]))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    download.beside(f"{download.number}.zip", bytes(content))


@attack("it is damaged")
def a_lie_about_the_length(download):
    content = zipped([(f"{download.place}{NOTEBOOK}", zeros(1))])
    download.beside(f"{download.number}.zip", content.replace(struct.pack("<L", MB), struct.pack("<L", 10)))


@attack("cannot be read as an archive")
def a_tar_file_whose_headers_lead_backwards(download):
    member = bytearray(tarred([("a", b"", {})], mode="w"))
    first, header = member[:512], bytearray(member[:512])
    header[124:136] = b"\xff" * 10 + b"\xfe\x00"  # -512 bytes long: the next header is this one
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    download.beside(f"{download.number}.tar.gz", gzip.compress(bytes(first + header + member[512:])))


@attack("it is a link", "no ordinary file")
def links_and_devices_in_a_tar_file(download):
    place = download.place
    members = [
        (f"{place}{NOTEBOOK}", None, {"type": b"2", "linkname": "x"}),
        (f"{place}x", None, {"type": b"2", "linkname": NOTEBOOK}),
        (f"{place}pipe.ipynb", None, {"type": b"6"}),
        (f"{place}hard.ipynb", None, {"type": b"1", "linkname": "/etc/passwd"}),
        (f"{place}null.ipynb", None, {"type": b"3", "devmajor": 1, "devminor": 3}),
    ]
    download.beside(f"{download.number}.tar.gz", tarred(members))


@attack("cannot be printed")
def names_that_are_no_text(download):
    place = "E\udcff_3_assignsubmission_file_/tiny.ipynb"
    download.beside(f"{download.number}.tar.gz", tarred([(place, download.notebook(), {})], errors="surrogateescape"))


@attack("unpacks to too much", settings="c.PlatformExtractor.total_size = 20")
def a_tar_file_of_zeros(download):
    download.beside(f"{download.number}.tar.gz", tarred([("a.ipynb", zeros(90), {})]))


@attack("the file is too large")
def many_entries_over_the_same_bytes(download):
    one = zipped([(f"{download.place}00.ipynb", zeros(60))])
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    directory = b"".join(one[start:end].replace(b"00.ipynb", b"%02d.ipynb" % number) for number in range(3))
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 3, 3, len(directory), start, 0)
    download.beside(f"{download.number}.zip", one[:start] + directory + tail)


def expressions(platform):
    """The expression of our guide, if it has one, and an unanchored one."""
    old = f"c.FileNameCollectorPlugin.named_regexp = r'{OLD[platform]}'"
    return {"our expression": SETTINGS[platform], "an unanchored one": old} if SETTINGS[platform] else {"": old}


def attacked(course, platform, names, more, timeout=60):
    """Collect a class with these attacks in it."""
    download, also = Download(course, platform), set()
    for name in names:
        download.number = ATTACKS[name].number
        ATTACKS[name].make(download)
        also |= {download.eves_id} if ATTACKS[name].eve_too else set()
    download.write()
    return collect(download, more, frozenset(also), timeout)


@pytest.mark.parametrize("name", [name for name, one in ATTACKS.items() if not one.only_named])
def test_it_does_harm_with_nbgraders_own_plugins(tiny, name):
    """An attack that does none would show nothing below."""
    one = ATTACKS[name]
    more = [*expressions(one.platform).values()][-1] + one.settings + STOCK
    assert attacked(tiny, one.platform, [name], more, timeout=6).harm


CLASSES = [(platform, expression) for platform in OLD for expression in expressions(platform)]
ALONE = [(name, one.platform, expression) for name, one in ATTACKS.items() for expression in expressions(one.platform)]


@pytest.fixture(scope="module")
def classes(released_tiny_course, tmp_path_factory):
    """What collecting came to for classes with all attackers at once, whose attacks need no settings."""
    outcomes = {}
    for platform, expression in CLASSES:
        course = tiny_course.copy(released_tiny_course, tmp_path_factory.mktemp("class") / "course")
        names = [name for name, one in ATTACKS.items() if one.platform == platform and not one.settings]
        outcomes[platform, expression] = attacked(course, platform, names, expressions(platform)[expression])
    return outcomes


@pytest.mark.parametrize(("platform", "expression"), CLASSES)
def test_a_class_of_attackers_is_collected(classes, platform, expression):
    """Honest students have what they handed in, and nothing else has happened."""
    assert classes[platform, expression].harm == [], classes[platform, expression].said


@pytest.mark.parametrize(("name", "platform", "expression"), ALONE)
def test_it_is_named(tiny, classes, name, platform, expression):
    """With what to do, in the lines about this upload."""
    one = ATTACKS[name]
    outcome = classes[platform, expression]
    if one.settings:
        outcome = attacked(tiny, platform, [name], f"{expressions(platform)[expression]}\n{one.settings}")
        assert outcome.harm == [], outcome.said
    lines = outcome.said.partition("Start transfering")[2].splitlines()
    hers = [line for line in lines if EVE[platform].format(one.number)[:-1] in line]
    for words in one.says:
        assert any(words in line for line in hers or lines) or any(words in line for line in lines if "…" in line), (
            lines
        )
