"""Plain data on its way between the grader and a student's process.

Both ends use this module; its *source* is also sent into the student's process, so it imports only the standard library
and NumPy. `encode` never fails: what is not plain becomes an `Opaque` with the name of its type. `decode` reads bytes
written by hostile code: every size is bounded, and anything unexpected is a ``ValueError``.

On the wire a value is JSON: null, true, false, numbers and strings as they are, lists as lists, and everything else as
an object with a tag: ``{"~": "array", "dtype": "float32", "shape": [2, 3], "data": <base64>}``.
"""

import base64
import json
import math
from typing import Any

import numpy as np

MAX_BYTES = 4 << 20
MAX_DEPTH = 12
MAX_ITEMS = 100_000
MAX_TEXT = 100_000
MAX_NUMBER = 2.0**1023  # of a plain int or float; `_encode` writes no int of 2**63 or more
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64")


class Opaque:
    """Stands for a value that is not plain data; `kind` is the name of its type, as its process gave it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"<{self.kind}>"


def to_json(value: Any) -> str:
    """Write `value` as text for `from_json`."""
    return json.dumps(_encode(value, 0), allow_nan=False)


def _encode(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return {"~": "opaque", "kind": "something nested too deeply"}
    if value is None or type(value) is bool:
        return value
    if type(value) is int:
        return value if abs(value) < 2**63 else {"~": "opaque", "kind": "huge int"}
    if type(value) is float:
        return value if math.isfinite(value) else {"~": "float", "value": repr(value)}
    if type(value) is str:
        return value[:MAX_TEXT]
    if type(value) in (list, tuple):
        return [_encode(item, depth + 1) for item in value[:MAX_ITEMS]]
    if type(value) is dict:
        pairs = list(value.items())[:MAX_ITEMS]
        return {"~": "dict", "pairs": [[str(key)[:MAX_TEXT], _encode(item, depth + 1)] for key, item in pairs]}
    return _encode_array(value)


def _encode_array(value: Any) -> dict[str, Any]:
    # Tensors and variables of every library convert through NumPy; symbolic ones cannot and stay opaque.
    try:
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    except Exception:  # noqa: BLE001 - a student's object may raise anything here
        array = None
    if array is None or array.dtype.name not in DTYPES or array.nbytes > MAX_BYTES // 2:
        return {"~": "opaque", "kind": type(value).__name__[:100]}
    data = base64.b64encode(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
    return {"~": "array", "dtype": array.dtype.name, "shape": list(array.shape), "data": data.decode("ascii")}


def from_json(written: str) -> Any:
    """Read what `to_json` wrote.

    Raises ``ValueError`` for everything else: too long, too deep, not JSON, an unknown tag, sizes that do not agree.
    """
    if not isinstance(written, str) or len(written) > MAX_BYTES:
        raise ValueError("too large")
    try:
        return _decode(json.loads(written, parse_constant=_refuse), 0)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def text(value: str) -> str:
    """Make `value` text that every file can hold: JSON can carry halves of characters, which UTF-8 cannot."""
    return value.encode("utf-8", "replace").decode("utf-8")


def printable(value: str) -> str:
    """Make `value` one line that does nothing to a terminal: no escape sequence, no change of direction."""
    return "".join(character if character.isprintable() else " " for character in value)


def _refuse(constant: str) -> Any:
    raise ValueError("not plain data")


def _decode(value: Any, depth: int) -> Any:
    if depth > 2 * MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return [_decode(item, depth + 1) for item in value]
    if isinstance(value, (int, float)) and not abs(value) < MAX_NUMBER:
        raise ValueError("a number out of range")
    if not isinstance(value, dict):
        return value
    tag = value.get("~")
    if tag == "float":
        return float({"nan": "nan", "inf": "inf", "-inf": "-inf"}[str(value.get("value"))])
    if tag == "dict":
        return _decode_dict(value.get("pairs"), depth)
    if tag == "array":
        return _decode_array(value)
    if tag == "opaque":
        return Opaque(str(value.get("kind"))[:100])
    raise ValueError("unknown kind of value")


def _decode_dict(pairs: Any, depth: int) -> dict[str, Any]:
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ValueError("not a dict")
    if not all(isinstance(key, str) for key, _ in pairs):
        raise ValueError("keys of a dict have to be text")
    return {key: _decode(item, depth + 1) for key, item in pairs}


def _decode_array(value: dict[str, Any]) -> Any:
    dtype, shape, data = value.get("dtype"), value.get("shape"), value.get("data")
    if dtype not in DTYPES or not isinstance(shape, list) or not isinstance(data, str) or len(shape) > 32:
        raise ValueError("not an array")
    if not all(type(n) is int and 0 <= n <= MAX_BYTES for n in shape):
        raise ValueError("not the shape of an array")
    raw = base64.b64decode(data.encode("ascii"), validate=True)
    kind = np.dtype(dtype).newbyteorder("<")
    if len(raw) != math.prod(shape) * kind.itemsize:
        raise ValueError("shape and data do not agree")
    return np.frombuffer(raw, dtype=kind).reshape(shape).astype(dtype)
