"""What another system would be told: one module answers for it."""

import pytest

from proctor.sandbox import machine


@pytest.mark.parametrize(("system", "answer"), [("linux", True), ("darwin", False), ("win32", False)])
def test_forks_and_sandboxes_on_linux_only(monkeypatch: pytest.MonkeyPatch, system: str, answer: bool) -> None:
    """Elsewhere kernels start the ordinary way."""
    monkeypatch.setattr(machine, "SYSTEM", system)
    assert (machine.can_fork(), machine.can_sandbox()) == (answer, answer)


def test_without_a_sandbox_every_protection_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried, everything essential is missing, and worker processes inherit that."""
    monkeypatch.setattr(machine, "SYSTEM", "darwin")
    monkeypatch.setenv("PROCTOR_LACKING", "")  # so that it is afterwards as it was before
    monkeypatch.delenv("PROCTOR_LACKING")
    machine.protections.cache_clear()
    assert not machine.was_tried()
    try:
        assert machine.lacking() == tuple(protection.name for protection in machine.missing())
        assert "read other files" in machine.lacking()
        assert machine.was_tried()
    finally:
        machine.protections.cache_clear()
