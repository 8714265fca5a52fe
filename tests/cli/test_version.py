"""What ``proctor`` says of itself."""

from importlib.metadata import version

import pytest

from proctor.cli import main as cli
from proctor.render.class_table import notes_below
from proctor.results.class_row import ClassRow


def test_it_says_its_version(capsys):
    """The version is that of the installed package."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"proctor {version('proctor')}\n"


@pytest.mark.parametrize("published", [True, False])
def test_the_published_seed_is_said_below_the_table(published):
    """Whoever has the repository knows what the hidden tests draw with its seed."""
    notes = notes_below([ClassRow("ada", {"test_loss": 4.0}, 4.0, 4.0)], published)
    assert any("c.ProctoredExecute.seed" in note for note in notes) == published
