"""What a fuzzer hands in: notebooks, folders, uploads and replies, made by chance, and the same for the same seed."""

import base64
import copy
import json
import os
import random
from pathlib import Path
from typing import Any

HOSTILE = (
    "<script>window.hit = 1</script>", "<img src=x onerror=alert(1)>", "# test_double", "test_double\n===", "[a](javascript:alert(1))",
    "![x](http://127.0.0.1:1/x)", "![x](attachment:a.png)", "### BEGIN HIDDEN TESTS\n", "### END HIDDEN TESTS\n", "$$x$$", "\\\\[" * 50,
    "<div id='test_double' class='nbgrader_cell' style='position:fixed'>", "[grader] 3 of 3 points", "\x1b]0;x\x07\x1b[2J",
    'import proctor; proctor.run_hidden_tests("tiny/test_double.py")', "<!--", "]]>", "~~~\n```\n", "{% raw %}{{ x }}", "=cmd|'/C x'!A0",
)  # fmt: skip
CODE = (
    "def double(x):\n    return 2 * x\n", "def double(x):\n    return x\n", "double = 3", "%%html\n<b>x</b>", "!ls", "%matplotlib inline",
    "import os; os._exit(1)", "1/0", "raise SystemExit", "print('x' * 100)", "def double(x):", "x = '''", "async def f(): yield", "\t\tx",
    "get_ipython().ask_exit()", "del double", "input()", "exit()", "lambda: (yield)", "\f", "from __future__ import braces", "class double: pass",
)  # fmt: skip
ODD = (
    "", " ", "\0", "\ud800", "\u202e", "\N{NO-BREAK SPACE}", "é", "e\N{COMBINING ACUTE ACCENT}", "\N{MATHEMATICAL DOUBLE-STRUCK CAPITAL S}" * 9, "\r\n", "\r", "\x85", "\u2028", "a" * 3000,
    "(" * 300, "[" * 300, "../..", "/etc/passwd", "..", ".", "~", "%s{0}", "NaN", "-", "*", "a/b", "a\\b", "CON", "__proto__", "\N{BYTE ORDER MARK}",
)  # fmt: skip
NUMBERS = (0, 1, -1, 2**31, 2**63, 2**64, -(2**63), 10**400, 0.1, -0.0, 1e308, 1e-308, 5e-324, True, 3, 100)
MIMES = (
    "text/plain",
    "text/html",
    "image/png",
    "image/svg+xml",
    "application/javascript",
    "text/markdown",
    "application/vnd.proctor.verdict+json",
)
KEYS = (
    "cells", "metadata", "nbformat", "nbformat_minor", "worksheets", "source", "input", "outputs", "cell_type", "id", "nbgrader", "grade_id",
    "grade", "solution", "locked", "task", "points", "schema_version", "checksum", "attachments", "tags", "data", "text", "output_type", "name",
    "level", "execution_count", "kernelspec", "language_info", "proctor", "flags", "executed", "ename", "evalue", "traceback", "items", "kind",
)  # fmt: skip


class Chance(random.Random):
    """A random generator with a taste for what breaks things."""

    def often(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.random() < share

    def text(self) -> str:
        """Some text: markup, code, odd characters, or all of them."""
        return "".join(self.choice(self.choice((HOSTILE, CODE, ODD))) for _ in range(self.randint(1, 3)))

    def value(self, depth: int = 3) -> Any:
        """Something that JSON can hold."""
        kind = self.randrange(8 if depth else 5)
        if kind == 0:
            return self.choice(NUMBERS)
        if kind == 1:
            return None
        if kind < 5:
            return self.choice((self.text(), self.choice(KEYS), self.choice(MIMES)))
        if kind == 5:
            return [self.value(depth - 1) for _ in range(self.randrange(4))]
        return {self.choice((*KEYS, *MIMES)): self.value(depth - 1) for _ in range(self.randrange(5))}


def notebook(chance: Chance, released: dict[str, Any]) -> bytes:
    """A notebook file: the release with an answer, after a few accidents; now and then no notebook at all."""
    nb = copy.deepcopy(released)
    for cell in nb["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "double":
            cell["source"] = chance.choice(CODE)
    for _ in range(chance.choice((0, 1, 1, 2, 3, 8))):
        chance.choice(ACCIDENTS)(chance, nb)
    return _written(chance, nb)


def _written(chance: Chance, nb: Any) -> bytes:
    content = json.dumps(nb, ensure_ascii=chance.often(0.5)).encode("utf-8", "surrogatepass")
    if chance.often(0.1):
        mark = chance.choice((b"\xef\xbb\xbf", b"", b"\xff\xfe"))
        encoding = chance.choice(("utf-8", "utf-16-le", "utf-16-be", "latin-1"))
        content = mark + content.decode("utf-8", "replace").encode(encoding, "replace")
    if chance.often(0.1):
        at = chance.randrange(len(content) + 1)
        content = chance.choice(
            (content[:at], content[:at] + chance.randbytes(3) + content[at + 1 :], b"", content * 2)
        )
    return content


def _cell(chance: Chance) -> dict[str, Any]:
    cell = {"cell_type": chance.choice(("code", "markdown", "raw", "heading")), "metadata": {}, "source": chance.text()}
    if chance.often(0.4):
        cell["outputs"] = outputs(chance)
    if chance.often(0.3):
        cell["metadata"] = {chance.choice(KEYS): chance.value() for _ in range(3)}
    if chance.often(0.3):
        cell["attachments"] = {"a.png": {chance.choice(MIMES): chance.text()}, chance.text(): chance.value()}
    return cell


def outputs(chance: Chance) -> list[Any]:
    """Outputs as a file may have them."""
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + chance.randbytes(30)).decode()
    kinds = ("stream", "display_data", "execute_result", "error", "pyout")
    made = []
    for _ in range(chance.randrange(4)):
        data = {chance.choice(MIMES): chance.choice((chance.text(), png, chance.value())) for _ in range(2)}
        output = {
            "output_type": chance.choice(kinds),
            "name": "stdout",
            "text": chance.text(),
            "data": data,
            "metadata": {},
        }
        made.append(chance.choice((output, {**output, chance.choice(KEYS): chance.value()}, chance.value())))
    return made


def _insert(chance: Chance, nb: Any) -> None:
    nb["cells"].insert(chance.randint(0, len(nb["cells"])), _cell(chance))


def _delete(chance: Chance, nb: Any) -> None:
    if nb["cells"]:
        del nb["cells"][chance.randrange(len(nb["cells"]))]


def _double(chance: Chance, nb: Any) -> None:
    if nb["cells"]:
        nb["cells"].insert(chance.randint(0, len(nb["cells"])), copy.deepcopy(chance.choice(nb["cells"])))


def _shuffle(chance: Chance, nb: Any) -> None:
    chance.shuffle(nb["cells"])


def _change(chance: Chance, nb: Any) -> None:
    """Another value somewhere, however deep."""
    place = nb
    while isinstance(place, (dict, list)) and place:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if not isinstance(place[key], (dict, list)) or not place[key] or (place is not nb and chance.often(0.2)):
            place[key] = chance.value()
            return
        place = place[key]


def _rewrite(chance: Chance, nb: Any) -> None:
    if nb["cells"]:
        cell = chance.choice(nb["cells"])
        if isinstance(cell, dict):
            cell["source"] = chance.choice(
                (chance.text(), chance.text().splitlines(keepends=True), f"{cell.get('source')}\n{chance.text()}")
            )


def _retype(chance: Chance, nb: Any) -> None:
    if nb["cells"] and isinstance(cell := chance.choice(nb["cells"]), dict):
        cell["cell_type"] = chance.choice(("code", "markdown", "raw"))


def _forget_metadata(chance: Chance, nb: Any) -> None:
    for cell in nb["cells"]:
        if isinstance(cell, dict) and chance.often(0.6):
            cell["metadata"] = {}


def _claim(chance: Chance, nb: Any) -> None:
    if nb["cells"] and isinstance(cell := chance.choice(nb["cells"]), dict):
        ids = ("double", "test_double", "title", "imports", "bonus", chance.text())
        claims = {
            "grade_id": chance.choice(ids),
            "points": chance.choice(NUMBERS),
            "schema_version": chance.choice((3, 1, 99)),
        }
        flags = {name: chance.often(0.5) for name in ("grade", "solution", "locked", "task")}
        cell["metadata"] = {"nbgrader": {**claims, **flags}}


def _old_format(chance: Chance, nb: Any) -> None:
    if chance.often(0.3):
        nb["worksheets"] = [
            {
                "cells": [
                    {**cell, "input": cell.get("source")} if isinstance(cell, dict) else cell for cell in nb["cells"]
                ]
            }
        ]
    nb["nbformat"], nb["nbformat_minor"] = chance.choice((2, 3, 4, 5, None, "4")), chance.choice((0, 4, 5, 99))


def _another_language(chance: Chance, nb: Any) -> None:
    nb["metadata"] = {"kernelspec": {"name": chance.text(), "language": chance.choice(("python", "R", chance.value()))}}


def _many(chance: Chance, nb: Any) -> None:
    nb["cells"] += [_cell(chance) for _ in range(chance.choice((5, 40)))]


ACCIDENTS = (
    _insert, _insert, _delete, _double, _shuffle, _change, _change, _rewrite, _retype, _forget_metadata, _claim, _old_format, _another_language, _many,
)  # fmt: skip


def reply(chance: Chance) -> str:
    """What a student's process may write for a reply."""
    kind = chance.randrange(10)
    if kind == 0:
        return chance.choice((chance.text(), "[" * 2000, "", json.dumps(chance.value())))
    name = chance.choice(("value", "value", "value", "value", "error", "missing", chance.text()))
    value = json.dumps(_wire(chance, 4))
    text = f'{{"~": "dict", "pairs": [[{json.dumps(name)}, {value}]]}}'
    if kind == 1:
        at = chance.randrange(len(text))
        text = text[:at] + chance.choice(("", "\0", "}", "1e999", "NaN", '"', "9" * 400)) + text[at + 1 :]
    return text


def _wire(chance: Chance, depth: int) -> Any:
    kind = chance.randrange(9 if depth else 4)
    if kind < 3:
        return chance.value(0)
    if kind == 3:
        return {"~": "float", "value": chance.choice(("nan", "inf", "-inf", chance.value(0)))}
    if kind == 4:
        return [_wire(chance, depth - 1) for _ in range(chance.randrange(5))]
    if kind == 5:
        keys = ("kind", "text", "line", "function", "remark", "error", "value", "missing", chance.text())
        return {
            "~": "dict",
            "pairs": [[chance.choice(keys), _wire(chance, depth - 1)] for _ in range(chance.randrange(4))],
        }
    if kind == 6:
        return {"~": "opaque", "kind": chance.value(1)}
    if kind == 7:
        return chance.value(depth)
    shape = chance.choice(([5], [], [0], [5, 1], [-1], [2**40], [1] * 40, [True], chance.value(1)))
    dtype = chance.choice(("float64", "float32", "int64", "bool", "object", "datetime64", "V5", chance.value(0)))
    data = chance.choice((base64.b64encode(chance.randbytes(40)).decode(), "AAAA", "", chance.text(), chance.value(0)))
    return {"~": "array", "dtype": dtype, "shape": shape, "data": data}


def file_name(chance: Chance) -> str:
    """A name that a file system takes."""
    name = chance.choice((*ODD, "data.csv", ".hidden", "tiny.ipynb", "timestamp.txt", "a.HTML", "x" * 250)).replace(
        "/", "_"
    )
    name = os.fsdecode(name.encode("utf-8", "surrogatepass")[:250].replace(b"\0", b"0"))
    return name if name not in ("", ".", "..") else "f"


def folder(chance: Chance, place: Path, depth: int = 3) -> None:
    """Fill `place` with files, folders, links, pipes, holes and what cannot be read."""
    for _ in range(chance.randrange(5)):
        path, kind = place / file_name(chance), chance.randrange(8)
        if path.is_symlink() or path.exists():
            continue
        if kind == 0 and depth:
            path.mkdir()
            folder(chance, path, depth - 1)
            path.chmod(chance.choice((0o755, 0o755, 0o000)))
        elif kind == 1:
            path.symlink_to(chance.choice(("..", "/etc/passwd", "nowhere", path.name)))
        elif kind == 2:
            os.mkfifo(path)
        elif kind == 3:
            with path.open("wb") as file:
                file.truncate(chance.choice((0, 1 << 20, 1 << 40)))
        else:
            path.write_bytes(chance.choice((b"", b"1,2\n", chance.randbytes(50))))
            path.chmod(chance.choice((0o644, 0o644, 0o4755, 0o000)))


def entry_name(chance: Chance) -> str:
    """The name of an upload, or of a way out of its place."""
    parts = [
        chance.choice((*ODD, "tiny.ipynb", "a.zip", "b.tar.gz", "Ada Lovelace_1_assignsubmission_file_", "x.ipynb.gz"))
        for _ in range(chance.randint(1, 3))
    ]
    return "/".join(parts).replace("\0", "0").encode("utf-8", "replace").decode()[:300] or "f"
