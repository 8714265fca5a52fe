"""The ``proctor`` command: its subcommands, each a module of its own, and what becomes of an error."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from proctor.cli import check, doctor, extend, feedback, grade, new, report, tour
from proctor.course.quiet import quiet_tensorflow
from proctor.errors import USAGE, ProctorError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)
    quiet_tensorflow()
    try:
        return int(options.run(options)) if options.command else tour.run()
    except ProctorError as error:
        print(f"proctor: {error}", file=sys.stderr)
        return USAGE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"proctor: {where}{error.strerror or error}; fix this, then run the command again", file=sys.stderr)
        return USAGE
    except Exception as error:
        reason = _of_the_gradebook(error)
        if not reason:
            raise
        print(f"proctor: {reason}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("\nproctor: stopped; run the same command again to go on from here", file=sys.stderr)
        return 130


def _of_the_gradebook(error: Exception) -> str:
    """What is wrong with the gradebook, which every command may open: damaged, locked, not ours to read."""
    sqlalchemy = sys.modules.get("sqlalchemy.exc")  # imported by what has raised it; --help has no use for it
    if sqlalchemy is None or not isinstance(error, sqlalchemy.SQLAlchemyError):
        return ""
    from proctor.records import database

    return database.explain(error)


class _Version(argparse.Action):
    """``--version``: looked up only when it is asked for, because that takes as long as all of ``--help``."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **options)

    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any) -> None:
        """Print it and stop."""
        from importlib.metadata import version

        print(f"proctor {version('proctor')}")
        parser.exit()


class _Help(argparse.HelpFormatter):
    """Wraps text, but no example: one that is broken at a hyphen cannot be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return f"{indent}{text}" if text.startswith("example:") else super()._fill_text(text, width, indent)


class _Command(argparse.ArgumentParser):
    """A subcommand, with its example as it is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_Help, **options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="proctor",
        description="Grade nbgrader assignments with hidden tests. Without a command: where this course stands, and "
        "what comes next.",
    )
    parser.add_argument("--version", action=_Version, help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Command)

    for command in (grade, check, report, extend, feedback, doctor, new):
        command.add_to(commands)
    return parser
