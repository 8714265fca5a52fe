"""A few hundred random notebooks, folders, uploads and replies; ``make fuzz`` makes ten thousand."""

import pytest
from fuzz_cases import Chance
from fuzz_checks import CHECKS

# How many of each: seconds, not minutes.
CASES = {"replies": 150, "notebooks": 80, "folders": 60, "uploads": 40, "reports": 20, "classes": 16}


@pytest.mark.parametrize("name", CHECKS)
def test_whatever_chance_hands_in_is_graded_or_named(released_tiny_course, name):
    """And harms nobody, within limits of time; a failure shows the case."""
    check, *_ = CHECKS[name]
    check(Chance(f"test {name}"), released_tiny_course, CASES[name])


def test_a_seed_makes_the_same_cases():
    """Or no failure could be looked at again."""
    one, other = (Chance("x") for _ in range(2))
    assert [one.value() for _ in range(100)] == [other.value() for _ in range(100)]
