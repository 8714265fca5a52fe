"""``nbgrader db student import`` takes a list as a spreadsheet saves it."""

import codecs
import unicodedata

import pytest
from commands import run
from nbgrader.api import Gradebook

from proctor.dates.table import with_commas

PLAIN = 'id,first_name,last_name\r\nzoë,Zoë,"d\'Été, Dr."\r\n=1,Jürgen,Groß\r\n'
EXCEL = 'id;first_name;last_name\r\nzoë;Zoë;"d\'Été, Dr."\r\n=1;Jürgen;Groß\r\n'
TABS = EXCEL.replace(";", "\t")
FORMS = {
    "as nbgrader wants it": PLAIN.encode(),
    "byte order mark": codecs.BOM_UTF8 + PLAIN.encode(),
    "semicolons": EXCEL.encode("utf-8-sig"),
    "semicolons, Latin-1": EXCEL.encode("latin-1"),
    "commas, Windows": PLAIN.encode("cp1252"),
    "Unicode text": TABS.encode("utf-16"),
    "big-endian": codecs.BOM_UTF16_BE + TABS.encode("utf-16-be"),
    "says which": f"sep=;\r\n{EXCEL}".encode("latin-1"),
    "accents apart": unicodedata.normalize("NFD", EXCEL).encode(),
    "empty lines and blanks": EXCEL.replace("\r\n", " \n;;\n\n").encode(),
    "lines of Linux": EXCEL.replace("\r\n", "\n").encode("utf-8-sig"),
    "lines of an old Mac": EXCEL.replace("\r\n", "\r").encode("utf-8-sig"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form, tmp_path):
    """Whatever separates, marks and encodes: the same rows, and what is in quotes stays together."""
    (tmp_path / "class.csv").write_bytes(FORMS[form])
    assert with_commas(tmp_path / "class.csv") == PLAIN


def test_the_command_reads_it(tiny, tmp_path):
    """Ids and names reach the gradebook as they were typed; a list that is not there is named by nbgrader."""
    (tmp_path / "class.csv").write_bytes(FORMS["semicolons, Latin-1"])
    done = run(tiny, "nbgrader", "db", "student", "import", str(tmp_path / "class.csv"))
    assert done.returncode == 0, done.stderr
    with Gradebook(f"sqlite:///{tiny}/gradebook.db") as book:
        names = {student.id: (student.first_name, student.last_name) for student in book.students}
    assert names == {"zoë": ("Zoë", "d'Été, Dr."), "=1": ("Jürgen", "Groß")}
    (tmp_path / "class.xlsx").write_bytes(b"PK\x03\x04\xff\xfe")
    assert "save it as CSV" in run(tiny, "nbgrader", "db", "student", "import", str(tmp_path / "class.xlsx")).stderr
    assert "No such file" in run(tiny, "nbgrader", "db", "student", "import", "nowhere.csv").stderr
