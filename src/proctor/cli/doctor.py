"""``proctor doctor``: what this machine can do, tried out."""

import argparse
from typing import Any

from proctor.errors import GRADED, SOME_NOT


def add_to(commands: Any) -> None:
    """Add ``doctor`` to the subcommands of ``proctor``."""
    summary = "try every protection against student code and say what holds here"
    doctor = commands.add_parser(
        "doctor",
        help=summary,
        description="Try each protection against student code on this machine. Prints whether it holds, and what to do "
        "if not.",
    )
    doctor.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print every protection, and whether grading goes on here."""
    from proctor.render import words
    from proctor.sandbox import machine

    if not machine.can_fork():
        print(f"{words.ordinary_kernels(machine.SYSTEM)}\n")
    print("Student code on this machine cannot:")
    protections = machine.protections()
    for protection in protections:
        mark = "✓" if protection.enforced else "✗" if protection.essential else "-"
        print(f"  {mark} {protection.name}{'' if protection.enforced else f'   ({protection.why})'}")
    lacking = [protection.name for protection in protections if protection.essential and not protection.enforced]
    if any(not protection.enforced and not protection.essential for protection in protections):
        print("\n- is an optional protection that this machine does not offer.")
    if lacking:
        print(f"\n{len(lacking)} not enforced: proctor grade refuses here, unless told --allow-unsandboxed.")
        return SOME_NOT
    print("\nAll that proctor grade needs is enforced.")
    return GRADED
