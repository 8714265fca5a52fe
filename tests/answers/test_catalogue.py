"""The catalogue takes nothing that it does not know."""

import catalogue
import pytest

WRONG = {
    "name": "x",
    "why": "y",
    "loss": "loss = 1",
    "at_fault": ["loss"],
    "points": {"test_loss": 1.5},
    "says": {"test_loss": "z"},
    "claims": ["sum"],
}
RIGHT = {"name": "x", "why": "y", "loss": "loss = 1"}


def parse(entry, file="wrong_x.toml"):
    (answer,) = catalogue.parse({"answer": [entry]}, file)
    return answer


def test_an_entry_becomes_an_answer():
    """What is not said is full points and the reference's code."""
    answer = parse(WRONG)
    assert answer.points == {**catalogue.FULL, "test_loss": 1.5}
    assert answer.code == {"loss": "loss = 1"}
    assert answer.claims == {"sum"}
    assert not answer.right
    assert parse(RIGHT, "right_x.toml").points == catalogue.FULL


@pytest.mark.parametrize(
    ("entry", "file", "says"),
    [
        ({**WRONG, "reason": "typing"}, "wrong_x.toml", "unknown keys: reason"),
        ({**WRONG, "points": {"test_los": 1}}, "wrong_x.toml", "unknown test cells: test_los"),
        ({**WRONG, "at_fault": ["train", "run"]}, "wrong_x.toml", "unknown functions at fault: run"),
        ({"name": "x", "why": "y", "loss": "z"}, "wrong_x.toml", "missing keys: at_fault, claims, points, says"),
        ({"why": "y", "loss": "z"}, "right_x.toml", "an entry without a name: missing keys: name"),
        (WRONG, "right_x.toml", "belong to wrong answers"),
        ({"name": "x", "why": "y"}, "right_x.toml", "no function is given"),
        (RIGHT, "maybe_x.toml", "right_* or wrong_*"),
    ],
)
def test_what_is_unknown_or_missing_is_an_error(entry, file, says):
    """A slip in an entry is named, with its file, before anything is graded."""
    with pytest.raises(ValueError, match=says.replace("*", r"\*")) as caught:
        parse(entry, file)
    assert file in str(caught.value)


def test_names_are_used_once(tmp_path):
    """Results are kept by name, so a name that is used twice is an error."""
    for file in ("right_a.toml", "right_b.toml"):
        (tmp_path / file).write_text('[[answer]]\nname = "x"\nwhy = "y"\nloss = "z"\n')
    with pytest.raises(ValueError, match="used twice: x"):
        catalogue.load(tmp_path)
