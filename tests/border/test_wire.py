"""Plain data on its way between two processes that do not trust each other."""

import json
import math

import numpy as np
import pytest

from proctor.border import wire


@pytest.mark.parametrize("value", [None, True, 0, -(2**62), 1.5, "text", [1, [2, None]], {"a": [1.0], "~": "tag"}])
def test_plain_values_arrive_as_they_are(value):
    """None, numbers, text, lists and dicts survive the way."""
    assert wire.from_json(wire.to_json(value)) == value


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_values_that_json_has_no_word_for_arrive(value):
    """Infinity and not-a-number survive the way."""
    assert repr(wire.from_json(wire.to_json(value))) == repr(value)


@pytest.mark.parametrize("dtype", wire.DTYPES)
def test_arrays_keep_type_shape_and_values(dtype):
    """Arrays survive the way, and can be written to afterwards."""
    array = np.arange(6).reshape(2, 3).astype(dtype)
    got = wire.from_json(wire.to_json(array))
    assert got.dtype == array.dtype
    assert (got == array).all()
    got[0, 0] = 1


def test_what_is_not_plain_becomes_opaque():
    """An object of another kind arrives as the name of its type, never as an error."""

    class Strange:
        def numpy(self):
            raise RuntimeError

    got = wire.from_json(wire.to_json([Strange(), object(), {1, 2}, 2**70, np.zeros(10**7)]))
    assert [item.kind for item in got] == ["Strange", "object", "set", "huge int", "ndarray"]


def test_a_value_that_contains_itself_is_cut():
    """Endless nesting ends somewhere."""
    loop = []
    loop.append(loop)
    assert "nested too deeply" in wire.to_json(loop)


HOSTILE = {
    "not json": "{",
    "too long": "1" * (wire.MAX_BYTES + 1),
    "too deep": "[" * 100_000,
    "deep but valid": "[" * 500 + "]" * 500,
    "constant": "NaN",
    "unknown tag": '{"~": "pickle", "data": ""}',
    "no tag": '{"a": 1}',
    "size does not fit": json.dumps({"~": "array", "dtype": "float32", "shape": [2**20], "data": "AAAA"}),
    "negative size": json.dumps({"~": "array", "dtype": "float32", "shape": [-1], "data": ""}),
    "objects": json.dumps({"~": "array", "dtype": "object", "shape": [0], "data": ""}),
    "shape of text": json.dumps({"~": "array", "dtype": "int8", "shape": ["1"], "data": "AA=="}),
    "not base64": json.dumps({"~": "array", "dtype": "int8", "shape": [1], "data": "\u00e9"}),
    "pairs of three": '{"~": "dict", "pairs": [[1, 2, 3]]}',
    "keys of numbers": '{"~": "dict", "pairs": [[1, 2]]}',
    "huge number": "1" * 5000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_a_value_error(text):
    """Whatever a student's process writes, reading it ends in data or in a ValueError."""
    with pytest.raises(ValueError):
        wire.from_json(text)
