"""Thousands of random notebooks, folders, uploads and replies: ``make fuzz``, or ``python tests/fuzz/fuzz.py --help``.

Ends with status 1 at the first case that is neither graded nor named, harms a neighbour, or takes too much time or
memory. The seed and the check that it prints make the same case again.
"""

import argparse
import logging
import math
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import tiny_course
from commands import release
from fuzz_cases import Chance
from fuzz_checks import CHECKS, MB

MEMORY = 3000 * MB


def main() -> None:
    """Run as many cases as asked for, of every check its share."""
    parser = argparse.ArgumentParser(description="Hand in what chance makes.")
    parser.add_argument("--cases", type=int, default=10_000, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other cases (%(default)s)")
    parser.add_argument("--check", choices=CHECKS, action="append", help="only this check (repeatable)")
    options = parser.parse_args()
    logging.disable()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        course = tiny_course.make(Path(folder) / "course")
        release(course, tiny_course.ASSIGNMENT)
        for name in options.check or CHECKS:
            check, batch, share = CHECKS[name]
            number = math.ceil(options.cases * (share if not options.check else 1 / len(options.check)) / batch)
            began = time.monotonic()
            for turn in range(number):
                try:
                    check(Chance(f"{options.seed} {name} {turn}"), course, batch)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
                    sys.exit(f"seed {options.seed}, {name}, batch {turn} of {batch} cases:\n{error}")
            print(f"{name}: {number * batch} cases, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
