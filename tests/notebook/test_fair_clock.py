"""Time limits: what a busy machine takes from a notebook is given back, and what a notebook wastes is not."""

import os
import subprocess
import sys
import time

import pytest

from proctor.notebook import fair_clock
from proctor.notebook.fair_clock import FENCE, FairClock, seconds_in_line, seconds_in_line_of_all, seconds_run

BUSY = "import os, time\nos.sched_setaffinity(0, {0})\nwhile time.process_time() < 0.5: pass\ninput()"
needs_schedstat = pytest.mark.skipif(
    not os.path.exists("/proc/self/schedstat") or not hasattr(os, "sched_setaffinity"), reason="Linux only"
)


@pytest.fixture
def clock(monkeypatch):
    """A clock of 10 seconds; `at(now, waited)` sets what time it is and how long the process has stood in line."""
    state = {"now": 100.0, "waited": 5.0}
    monkeypatch.setattr(fair_clock.time, "monotonic", lambda: state["now"])
    monkeypatch.setattr(fair_clock, "seconds_in_line", lambda pid: state["waited"])

    class Clock(FairClock):
        def at(self, now, waited):
            state.update(now=100.0 + now, waited=5.0 + waited)
            return self.left()

    return Clock(10.0, 1)


def test_it_counts_down(clock):
    """On a machine with nothing else to do it is wall clock."""
    assert clock.at(4.0, 0.0) == 6.0
    assert clock.at(10.5, 0.0) < 0


def test_time_in_line_is_given_back(clock):
    """What the process has waited for a processor since the start of the clock does not count."""
    assert clock.at(12.0, 5.0) == 3.0
    assert clock.at(15.5, 5.0) < 0


def test_there_is_a_fence(clock):
    """However busy the machine is, a limit is over some time."""
    assert clock.at(10.0 * FENCE - 1, 1000.0) == 1.0
    assert clock.at(10.0 * FENCE + 1, 1000.0) < 0


def test_nothing_is_given_back_after_the_notebooks_own_limit(monkeypatch):
    """A notebook that stands in its own way with busy threads gets no more time than any other."""
    now = iter([100.0, 105.0, 112.0])
    waited = iter([0.0, 50.0])
    monkeypatch.setattr(fair_clock.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(fair_clock, "seconds_in_line", lambda pid: next(waited))
    clock = FairClock(10.0, 1, until=111.0)
    assert clock.left() == 5.0
    assert clock.left() == -1.0


def test_nothing_is_known_of_a_process_that_is_gone():
    """Then the clock is wall clock."""
    assert seconds_in_line(None) == seconds_in_line(2**30) == 0.0


@needs_schedstat
def test_a_process_that_shares_a_processor_stands_in_line():
    """Two processes that compute on one processor wait for each other; one that waits for input stands in no line."""
    both = [
        subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    try:
        limit = time.monotonic() + 60
        while sum(seconds_in_line(one.pid) for one in both) < 0.4:
            assert time.monotonic() < limit
        assert all(0 < seconds_run(one.pid) < 10 for one in both)
        assert all(seconds_in_line_of_all(one.pid) >= seconds_in_line(one.pid) * 0.5 for one in both)
    finally:
        for one in both:
            one.communicate(b"\n")


@pytest.mark.parametrize(
    ("computed", "waited", "crowded"),
    [(10.0, 30.0, False), (0.0, 0.0, False), (0.0, 0.9, False), (0.0, 2.0, True), (7.0, 33.0, True)],
    ids=["an endless loop", "asleep", "asleep, almost", "its threads wait", "past the fence"],
)
def test_a_crowded_process_is_told_from_one_that_wastes_its_time(monkeypatch, computed, waited, crowded):
    """Whoever computed for as long as the limit says, or waited for no processor, would not be quicker alone."""
    state = {"run": 1.0, "line": 2.0}
    monkeypatch.setattr(fair_clock, "seconds_run", lambda pid: state["run"])
    monkeypatch.setattr(fair_clock, "seconds_in_line_of_all", lambda pid: state["line"])
    clock = FairClock(10.0, 1)
    state.update(run=1.0 + computed, line=2.0 + waited)
    assert clock.crowded() is crowded
