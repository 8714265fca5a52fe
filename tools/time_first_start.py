"""Time the first command on a fresh clone; writes docs/first-start.md with each line and the second at which it came.

For a machine that has nothing else to do. What is not committed is not in the clone. With ``test`` as its argument it
times `make test` after that, too, which takes about half an hour.
"""

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "first-start.md"
HEAD = """# The first start, second by second

`python tools/time_first_start.py` made this page: a fresh clone on {day:%d %B %Y}, {system} with {cores} cores, Python
{python}. Each line stands after the second at which it came. On a terminal, progress is one line, written over."""


def main() -> None:
    """Clone, run, write."""
    facts = {"day": date.today(), "system": platform.system(), "cores": os.cpu_count()}
    parts = [HEAD.format(python=platform.python_version(), **facts)]
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "course"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        for word in ["grade", *sys.argv[1:]]:
            parts.append(section(word, timed(["make", word], clone)))
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def timed(command: list[str], folder: Path) -> list[tuple[float, str]]:
    """Run a command without the environment that runs this, as on a fresh machine; return lines with their seconds."""
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if ".venv" not in part)
    environment = {**os.environ, "PATH": path}
    environment.pop("VIRTUAL_ENV", None)
    start, lines = time.monotonic(), []
    process = subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    for line in process.stdout or ():
        lines.append((time.monotonic() - start, line.rstrip()))
    lines.append((time.monotonic() - start, f"(exit status {process.wait()})"))
    return lines


def section(word: str, lines: list[tuple[float, str]]) -> str:
    """One command on the page, and its longest silence. No path of this machine stands there."""
    silence = max(later - earlier for earlier, later in pairwise([0.0, *(second for second, _ in lines)]))
    text = "\n".join(f"{second:5.0f}  {re.sub(r'(^|(?<= ))/[^ ]*/', '', line)}".rstrip() for second, line in lines)
    return (
        f"## `make {word}`: {lines[-1][0]:.0f} seconds\n\n"
        f"The longest time without a new line: {silence:.0f} seconds.\n\n```text\n{text}\n```"
    )


if __name__ == "__main__":
    main()
