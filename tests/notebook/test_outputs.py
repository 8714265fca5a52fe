"""What is kept of what a kernel sends: text and pictures that are what they say, small enough to be shown."""

import base64
import io
import struct
import zlib

import pytest
from nbformat.v4 import new_output
from PIL import Image

from proctor.notebook.cell_run import output_of
from proctor.notebook.picture import MAX_PIXELS


def picture(form, width=4, height=3):
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, form)
    return file.getvalue()


def blank(width, height):
    """A picture without anything in it: some kilobytes, whatever its size."""
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


def claims(width, height):
    """A PNG file whose header says that it is as large as that, with nothing in it."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def kept(kind, raw):
    """Which of the picture's formats are kept of an output with `raw` as `kind`."""
    data = {kind: base64.encodebytes(raw).decode(), "text/plain": "a picture", "text/html": "<b>"}
    output, _ = output_of({"msg_type": "display_data", "data": data})
    return sorted(set(output.data) - {"text/plain"})


@pytest.mark.parametrize(("kind", "form"), [("image/png", "PNG"), ("image/jpeg", "JPEG")])
def test_pictures_are_kept(kind, form):
    """In the two formats that notebooks have."""
    assert kept(kind, picture(form)) == [kind]


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("image/png", picture("JPEG")),
        ("image/jpeg", picture("PNG")),
        ("image/png", picture("GIF")),
        ("image/png", b"<svg onload='alert(1)'>"),
        ("image/png", picture("PNG")[:20]),
        ("image/png", claims(30_000, 30_000)),
        ("image/png", claims(2**31 - 1, 2**31 - 1)),
        ("image/png", blank(MAX_PIXELS // 100, 101)),
        ("image/svg+xml", b"<svg/>"),
    ],
)
def test_what_is_no_picture_or_too_large_is_not_kept(kind, raw):
    """A browser would unpack what the header says, whatever the size of the file."""
    assert kept(kind, raw) == []


def test_a_large_picture_is_kept():
    """As large as is allowed."""
    assert kept("image/png", blank(MAX_PIXELS // 100, 100)) == ["image/png"]


@pytest.mark.parametrize("data", ["no base64!", 3, None, ["x"], "é"])
def test_no_kind_of_data_raises(data):
    """It was written by a student's process."""
    output, _ = output_of({"msg_type": "display_data", "data": {"image/png": data, "text/plain": "x"}})
    assert dict(output.data) == {"text/plain": "x"}


@pytest.mark.parametrize(
    ("message", "meant"),
    [
        ({"name": "stderr", "text": "\ud800"}, new_output("stream", name="stderr", text="?")),
        ({"data": {"text/plain": "1"}}, new_output("display_data", {"text/plain": "1"})),
        ({"data": {"text/plain": "1"}}, new_output("execute_result", {"text/plain": "1"})),
        ({"ename": 1, "traceback": [2]}, new_output("error", ename="1", evalue="None", traceback=["2"])),
        ({"ename": "E", "evalue": "e", "traceback": {}}, new_output("error", ename="E", evalue="e", traceback=[])),
    ],
)
def test_an_output_is_what_nbformat_makes(message, meant):
    """Of messages that are hardly one, too: the same fields in the same order, and valid (`new_output` looks)."""
    output, _ = output_of({"msg_type": meant.output_type, **message})
    assert list(output.items()) == list(meant.items())
    assert [type(value) for value in output.values()] == [type(value) for value in meant.values()]
