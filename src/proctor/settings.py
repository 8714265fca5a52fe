"""Every setting of ``c.ProctoredExecute`` with its only default, and the environment variables our processes talk by.

`proctor.autograde.execute` makes nbgrader's traits of `Settings`; a course reads its own with `Settings.of`; limits and
the sandbox's policy are made from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

CONFIG_FILE = "nbgrader_config.py"

# Set by the instructor: the gradebook's database, if it is not the SQLite file of the course.
DB_URL = "PROCTOR_DB_URL"
# Set by the command for its worker processes: the descriptor of the channel to the process that forks kernels,
WARM_FD = "PROCTOR_WARM_FD"
# the folder in which workers make their scratch folders,
SCRATCH = "PROCTOR_SCRATCH"
# and the essential protections that failed when they were tried on this machine, one a line.
LACKING = "PROCTOR_LACKING"
# Set by `proctor doctor` in the process that tries protections: a student's process must not find it.
PROBE = "PROCTOR_PROBE"


def _setting(default: Any, summary: str) -> Any:
    return field(default=default, metadata={"help": summary})


@dataclass(frozen=True)
class Settings:
    """What can be set as ``c.ProctoredExecute.NAME``; times in seconds."""

    cell_timeout: float = _setting(30.0, "Seconds that one cell may take.")
    call_timeout: float = _setting(15.0, "Seconds that one call by a hidden test may take.")
    notebook_timeout: float = _setting(300.0, "Seconds that a whole notebook may take.")
    seed: int = _setting(0, "Seed of the hidden tests' inputs: change it every term.")
    preload: list[str] = field(
        default_factory=list, metadata={"help": "Modules to import once, before kernels are forked."}
    )
    grader_tests: str = _setting("grader_tests", "Folder of the hidden tests, below the course.")
    allow_unsandboxed: bool = _setting(False, "Grade although this machine cannot protect itself.")
    known_submissions: str = _setting("", "File of SHA-256 sums of notebooks that need no sandbox.")
    memory: int = _setting(2048, "MB of memory that a notebook may use beyond what a kernel starts with.")
    environment: dict[str, str] = field(
        default_factory=dict, metadata={"help": "More environment variables of the student's process."}
    )
    run_all_cells: bool = _setting(False, "Run the cells below the last graded one, too.")
    disk: int = _setting(256, "MB of files that a notebook may write.")
    database_timeout: float = _setting(60.0, "Seconds to wait for a gradebook's server to come back.")

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Settings":
        """Read the settings out of nbgrader's configuration; what is not set has its default."""
        section = config.get("ProctoredExecute", {})
        default = cls()
        known = {entry.name: section[entry.name] for entry in fields(cls) if entry.name in section}
        # ``c.ProctoredExecute.preload.append(...)`` is kept by traitlets as what to do with the default.
        lazy = {
            name: value.get_value(getattr(default, name))
            for name, value in known.items()
            if hasattr(value, "get_value")
        }
        return cls(**{**known, **lazy})


def slip(config: Mapping[str, Any]) -> str:
    """Say which setting is misspelt or of the wrong kind; ``""`` if none is.

    A misspelt ``seed`` would be passed over, and the class graded with the default: traitlets says nothing here.
    """
    kinds: Mapping[type, tuple[type, ...]] = {float: (float, int), int: (int,), str: (str,), bool: (bool,)}
    defaults = {entry.name: getattr(Settings(), entry.name) for entry in fields(Settings)}
    for name, value in config.get("ProctoredExecute", {}).items():
        meant = get_close_matches(name, defaults, 1, 0.7)
        if name not in defaults and meant:
            return f"c.ProctoredExecute has no setting {name}: is {meant[0]} meant?"
        allowed = kinds.get(type(defaults.get(name)), (object,))
        if not isinstance(value, allowed) or (isinstance(value, bool) and int in allowed):
            return f"c.ProctoredExecute.{name} is {value!r}: it has to be like {defaults[name]!r}"
    return ""


# That of the repository: everybody can read it, and with it what the hidden tests draw.
PUBLISHED_SEED = 20261121
# Of these, whether a submission is graded may depend, but no grade.
ABOUT_THE_MACHINE = {"allow_unsandboxed", "database_timeout"}


def find_root(start: Path) -> Path | None:
    """Return the nearest folder at or above `start` that holds an ``nbgrader_config.py``, or None."""
    here = start.resolve()
    return next((folder for folder in (here, *here.parents) if (folder / CONFIG_FILE).is_file()), None)


def read(root: Path) -> Settings:
    """Read the settings in the configuration of the course at `root`, without the rest of nbgrader's."""
    from traitlets.config.loader import PyFileConfigLoader

    return Settings.of(PyFileConfigLoader(CONFIG_FILE, str(root)).load_config())
