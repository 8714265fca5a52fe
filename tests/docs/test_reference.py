"""docs/reference.md leaves nothing out: every setting with its default, every command with its options."""

import argparse
import re

import pytest
from course_files import ROOT

from proctor.autograde.execute import ProctoredExecute
from proctor.cli.main import _parser
from proctor.collect.collector import PlatformCollector
from proctor.collect.extractor import PlatformExtractor
from proctor.plugins.exports import CanvasExport, MoodleExport
from proctor.plugins.feedback import FeedbackExporter
from proctor.plugins.late import PercentPerDay

REFERENCE = (ROOT / "docs" / "reference.md").read_text()
COMPONENTS = [
    ProctoredExecute,
    FeedbackExporter,
    PercentPerDay,
    CanvasExport,
    MoodleExport,
    PlatformExtractor,
    PlatformCollector,
]
ROWS = {(name, default) for name, default in re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", REFERENCE, re.MULTILINE)}


def own_settings(component):
    """Settings that a class adds to what it inherits from nbgrader: (name, default)."""
    traits = component.class_traits(config=True)
    own = {name for base in component.__mro__ if base.__module__.startswith("proctor") for name in vars(base)}
    return {(name, repr(trait.default())) for name, trait in traits.items() if name in own}


def subcommands():
    """The parsers of ``proctor``'s commands, by name."""
    actions = [action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return actions[0].choices


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_setting_is_there_with_its_default(component):
    """A setting that is missing, or whose default has changed, is named."""
    assert own_settings(component)
    assert own_settings(component) - ROWS == set()


def test_no_setting_is_made_up():
    """Every row with a default is a setting of ours."""
    known = set().union(*map(own_settings, COMPONENTS))
    assert ROWS - known == set()


@pytest.mark.parametrize("command", subcommands())
def test_every_option_is_there(command):
    """The section of a command lists all of its arguments and options, and no others."""
    section = re.search(rf"^### `proctor {command}\b.*?(?=^##|\Z)", REFERENCE, re.DOTALL | re.MULTILINE)
    assert section, f"no section about proctor {command}"
    shown = set(re.findall(r"^\| `(--[a-z-]+|[A-Z]+)[^|]*\|", section[0], re.MULTILINE))
    real = {
        (action.option_strings[0] if action.option_strings else action.dest.upper())
        for action in subcommands()[command]._actions
        if not isinstance(action, argparse._HelpAction)
    }
    assert shown == real


def test_every_word_for_make_is_there():
    """The table of ``make`` names the Makefile's targets."""
    targets = set(re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split())
    assert set(re.findall(r"^\| `make (\w+)`", REFERENCE, re.MULTILINE)) == targets
