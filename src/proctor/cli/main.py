"""The ``proctor`` command: options, progress and tables. How anything is done is other modules' business."""

import argparse
import sys
from collections.abc import Sequence

from proctor.cli import check, doctor, grade, new, report
from proctor.cli.status import USAGE
from proctor.course.quiet import quiet_tensorflow
from proctor.errors import ProctorError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    options = _parser().parse_args(arguments)
    quiet_tensorflow()
    try:
        return int(options.run(options))
    except ProctorError as error:
        print(f"proctor: {error}", file=sys.stderr)
        return USAGE
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"proctor: {where}{error.strerror or error}; fix this, then run the command again", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("\nproctor: stopped; run the same command again to go on from here", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="proctor", description="Grade nbgrader assignments with hidden tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    for command in (grade, check, report, doctor, new):
        command.add_to(commands)
    return parser
