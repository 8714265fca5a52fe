"""`attack` tries one payload where nothing stops it and then in every sandbox that this machine offers."""

import os
import sys

import pytest
from prison import Prison, World

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
HOWS = ("", "no-namespaces", "user", "user,no-namespaces") if IS_ROOT else ("", "no-namespaces")
GAINED = "GAINED"  # what `won()` prints


def pytest_collection_modifyitems(items):
    """There is no sandbox but Linux's."""
    if sys.platform != "linux":
        for item in items:
            item.add_marker(pytest.mark.skip("needs Linux"))


@pytest.fixture(scope="session")
def world():
    """What attacks reach for."""
    world = World()
    yield world
    world.close()


@pytest.fixture(scope="session")
def prisons(world):
    """A grader for each way to have less than all rights, by how that is."""
    started = {how: Prison(how, world) for how in HOWS}
    yield started
    for prison in started.values():
        prison.close()


@pytest.fixture
def attack(world, prisons):
    """Try `code` with nothing in its way, where it has to print `gain`, and in all sandboxes, where it must not.

    It prints the canary of `world`, or calls ``won()`` with `gain` being `GAINED`. What is outside must be as before, too.
    `inside`: the unprotected run is in the grader's own process, where a
    kernel forked from the grader would be. `harmless`: why the unprotected run shows nothing, or is not made.
    """

    def run(code, gain=None, *, inside=False, harmless="", fresh=False, **options):
        gain = gain or world.secret
        if not harmless:
            done = prisons[""].ask(code, **({"inside": True} if inside else {"sandboxed": False, "fresh": fresh}))
            assert gain in done["out"], f"this attack does not even work without a sandbox: {done}"
            world.restore()
        for how, prison in prisons.items():
            done = prison.ask(code, fresh=fresh, **options)
            assert gain not in done["out"], f"{how or 'all rights'}: {done}"
            assert done["end"] != "not started", f"{how or 'all rights'}: {done}"
            assert not world.restore(), f"{how or 'all rights'}: something outside has changed"

    return run
