"""On a system where kernels cannot be forked, the commands say what that means."""

import pytest

from proctor.cli.main import main
from proctor.render import words
from proctor.sandbox import machine


@pytest.fixture
def mac(monkeypatch):
    """Another answer to the one question that is asked of the platform."""
    monkeypatch.setattr(machine, "SYSTEM", "darwin")
    machine.protections.cache_clear()
    yield
    machine.protections.cache_clear()


def test_doctor_says_what_to_expect(mac, capsys):
    """Slower kernels, and every essential protection by name."""
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert words.ordinary_kernels("darwin") in out
    assert all(protection.name in out for protection in machine.missing())


def test_grade_says_what_to_expect(mac, tiny, monkeypatch, capsys):
    """Before anything else (nothing is handed in here), and only on such a system."""
    monkeypatch.chdir(tiny)
    main(["grade"])
    assert words.ordinary_kernels("darwin") in capsys.readouterr().err
    monkeypatch.setattr(machine, "SYSTEM", "linux")
    main(["grade"])
    assert words.ordinary_kernels("linux") not in capsys.readouterr().err
