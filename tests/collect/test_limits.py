"""What an archive says of itself is compared with a limit before anything is spent on it; bytes of any kind are refused."""

import gzip
import io
import os
import random
import struct
import tarfile
import tracemalloc

import pytest
from uploads import MB, tarred, zipped

from proctor.archives.archive import Entry, entries, folder_entries
from proctor.archives.limits import Limits, Room
from proctor.collect import unpack
from proctor.errors import ArchiveRefused

LIMITS = Limits(file_size=MB, student_size=2 * MB, student_files=5, total_size=4 * MB, entries=1000)
PEAK = 24 * MB


def whose(path):
    """The first part of a path."""
    return path.partition("/")[0]


def read(path, limits=LIMITS):
    """All entries of an archive."""
    return [entry for entry, _ in entries(path, limits)]


@pytest.fixture
def archive(tmp_path):
    """Write an archive and have it refused, with no more memory than honest ones take."""

    def refused(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        tracemalloc.start()
        try:
            with pytest.raises(ArchiveRefused) as error:
                read(path)
            assert tracemalloc.get_traced_memory()[1] < PEAK
        finally:
            tracemalloc.stop()
        return error.value.why

    return refused


def test_a_directory_of_millions(archive):
    """A zip file's directory is not read if it is larger than any honest one."""
    one = zipped([("a", b"")])
    start, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    directory = one[start:end] * 600_000
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), start, 0)
    assert archive("a.zip", one[:start] + directory + tail) == "too many entries"


@pytest.mark.parametrize("pack", [zipped, lambda files: tarred(files)], ids=["a.zip", "a.tar.gz"])
def test_too_many_entries(archive, pack, request):
    """Folders and empty files count as well."""
    assert archive(request.node.callspec.id, pack([(f"{n}", b"", {}) for n in range(1001)])) == "too many entries"


def headers(*kinds_and_sizes):
    """Headers of a tar file, each with a kind and a size that it claims."""
    made = []
    for kind, size in kinds_and_sizes:
        info = tarfile.TarInfo("a")
        info.type, info.size = kind, size
        made.append(info.tobuf(tarfile.GNU_FORMAT))
    return b"".join(made)


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_a_header_of_a_gigabyte(archive, kind):
    """Names and comments of a tar file are read into memory: not if they are long."""
    content = gzip.compress(headers((kind, 1 << 30)) + bytes(64 * MB))
    assert archive("a.tar.gz", content) == "unreadable archive"


def test_headers_about_headers(archive):
    """Each long name may be followed by another one, and the reader of Python calls itself for each."""
    assert archive("a.tar", (headers((b"L", 5)) + b"a" * 512) * 5000) == "unreadable archive"


def test_a_sparse_file(tmp_path):
    """It may be as long as it says, and takes no room in the archive."""
    path = tmp_path / "a.tar"
    path.write_bytes(headers((b"S", 0)) + bytes(1024))
    assert [entry.kind for entry in read(path)] == ["special"]


def test_gzip_around_no_end(archive):
    """What is unpacked only to be passed over counts, too."""
    assert archive("a.tar.gz", gzip.compress(headers((b"0", 200 * MB)) + bytes(200 * MB))) == "too much in archive"


def test_small_uploads_have_room_first():
    """Who takes all of the room leaves it to the others."""
    large = [Entry(f"eve/{n}.ipynb", MB, "file") for n in range(2)] + [
        Entry(f"ida/{n}.ipynb", MB, "file") for n in range(2)
    ]
    small = [Entry(f"{n}/a.ipynb", MB // 2, "file") for n in range(4)]
    paths, left_out = unpack.plan(large + small, whose, Room(LIMITS))
    assert sorted(paths) == [0, 1, 4, 5, 6, 7]
    assert {one.why for one in left_out} == {"total size"}


def test_room_is_shared_by_all_archives():
    """A student's second archive adds to the first."""
    room = Room(LIMITS)
    whys = [[one.why for one in unpack.plan([Entry(f"eve/{n}.ipynb", MB, "file")], whose, room)[1]] for n in range(3)]
    assert whys == [[], [], ["student size"]]


def test_notebooks_come_before_other_files():
    """Whoever hands in a folder full of data has the notebook collected."""
    files = [Entry(f"eve/{n}.csv", 1, "file") for n in range(9)] + [Entry("eve/z.ipynb", 9, "file")]
    paths, left_out = unpack.plan(files, whose, Room(LIMITS))
    assert 9 in paths
    assert len(paths) == 5
    assert {one.why for one in left_out} == {"student files"}


def test_a_full_disk_is_nobodys_fault(tmp_path):
    """It ends the command, and is not told of a student."""

    def full():
        raise OSError(28, "No space left on device")

    entry = Entry("eve/a.ipynb", 1, "file")
    with pytest.raises(OSError, match="No space left"):
        unpack.write(iter([(entry, full)]), {0: entry.path}, tmp_path, whose)


@pytest.mark.parametrize("announced", [9, 11])
def test_what_is_shorter_or_longer_than_announced(tmp_path, announced):
    """Nothing of it stays."""
    entry = Entry("eve/a.ipynb", announced, "file")
    content = iter([(entry, lambda: io.BytesIO(bytes(10)))])
    written, left_out = unpack.write(content, {0: entry.path}, tmp_path, whose)
    assert (written, [one.why for one in left_out]) == ({}, ["damaged"])
    assert not list(tmp_path.rglob("*.ipynb"))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz"])
def test_any_bytes(tmp_path, name, seed):
    """Spoilt archives are refused or unpacked, within their folder and limits; nothing else comes of them."""
    rng = random.Random(f"{name}{seed}")
    files = [(f"s{n}/{'a/' * n}x.ipynb", rng.randbytes(3000), {}) for n in range(5)]
    whole = zipped(files) if name == "a.zip" else tarred(files, "w" if name == "a.tar" else "w:gz")
    path, to = tmp_path / name, tmp_path / "to"
    for number in range(60):
        content = bytearray(whole)
        for _ in range(rng.choice([1, 3, 30])):
            content[rng.randrange(len(content))] = rng.choice([0, 1, 0x2F, 0x2E, 0x80, 0xFF, rng.randrange(256)])
        path.write_bytes(content[: rng.choice([len(content), rng.randrange(len(content))])])
        try:
            paths, _ = unpack.plan(read(path), whose, Room(LIMITS))
            unpack.write(entries(path, LIMITS), paths, to / str(number), whose)
        except ArchiveRefused:
            continue
    assert sorted(tmp_path.iterdir()) in ([path], [path, to])
    assert sum(file.lstat().st_size for file in to.rglob("*")) <= 60 * 5 * MB
    assert not [file for file in to.rglob("*") if file.is_symlink()]


def test_what_cannot_be_read_leaves_no_empty_file(tmp_path):
    """An empty file would be collected in the place of a good one of an earlier download."""

    def closed():
        raise PermissionError

    found = [(Entry("a.ipynb", 5, "file"), closed)]
    written, left_out = unpack.write(iter(found), {0: "a.ipynb"}, tmp_path, whose)
    assert written == {}
    assert [one.why for one in left_out] == ["closed"]
    assert list(tmp_path.iterdir()) == []


def test_folders_without_end_and_without_rights_are_named(tmp_path, monkeypatch):
    """Folders unpacked by hand: none ends the command, and none is passed over."""
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada/tiny.ipynb").touch()
    (tmp_path / "closed/inside").mkdir(parents=True)
    deep = tmp_path / "deep"
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    scandir, access = os.scandir, os.access

    def scan(path):
        if path == tmp_path / "closed":
            raise PermissionError
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    monkeypatch.setattr(os, "access", lambda path, how: path != tmp_path / "closed" and access(path, how))
    found = [entry for entry, _ in folder_entries(tmp_path, frozenset(), LIMITS)]
    assert [(entry.path, entry.kind) for entry in found][:2] == [("ada/tiny.ipynb", "file"), ("closed", "closed")]
    paths, left_out = unpack.plan(found, whose, Room(LIMITS))
    assert list(paths.values()) == ["ada/tiny.ipynb"]
    assert {(one.owner, one.why) for one in left_out} == {("closed", "closed"), ("deep", "deep")}
