"""Install the pinned packages into the environment, and say how far it is. Run by the Makefile on a fresh clone.

pip says either nothing for two minutes or a thousand lines. Standard library only: nothing else is there yet.
"""

import re
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
PIP = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
EVERY = 5.0  # seconds between two lines where there is no terminal to write over


def main() -> int:
    """Install what is in the lock file, then this package itself; return pip's exit status."""
    most = len(re.findall(r"^[A-Za-z0-9]", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    print(f"Making the environment in .venv: up to {most} packages, some minutes on the first day.", flush=True)
    done = run([*PIP, "--require-hashes", "--progress-bar", "off", "-r", str(LOCK)], most)
    if done:
        return done
    print("Installing this package …", flush=True)
    return subprocess.call([*PIP, "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def run(command: list[str], most: int) -> int:
    """Run pip and show what it is doing; if it fails, show the end of all that it said."""
    said: list[str] = []
    progress = Progress(most)
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, **both, text=True, errors="replace") as pip:
        for line in pip.stdout or ():
            said.append(line)
            progress.tell(line)
    progress.end()
    if pip.returncode:
        print("".join(said[-20:]), file=sys.stderr)
    return pip.returncode


class Progress:
    """One line on a terminal that is written over; elsewhere a line every few seconds."""

    def __init__(self, most: int) -> None:
        self._most, self._count, self._told = most, 0, 0.0
        self._terminal = sys.stdout.isatty()
        self._fetched = threading.Event()
        self._over = threading.Event()
        threading.Thread(target=self._writing, daemon=True).start()

    def tell(self, line: str) -> None:
        """Say what a line of pip's means."""
        name = re.match(r"(?:Collecting|Processing) (?:\S*/)?([\w.]+(?:-[A-Za-z]\w*)*)", line)
        if name:
            self._count += 1
            self._show(f"[{self._count}/{self._most}] fetching {name[1]}", False)
        elif line.startswith("Installing collected packages"):
            self._show(f"[{self._count}] fetched; writing them to .venv, which takes about as long …", True)
            self._fetched.set()

    def _writing(self) -> None:
        """While pip writes, it says nothing: count what is there."""
        self._fetched.wait()
        while not self._over.wait(EVERY):
            there = sum(1 for _ in Path(sysconfig.get_paths()["purelib"]).glob("*.dist-info"))
            # pip itself was there before, and is none of those that are counted.
            self._show(f"[{min(there, self._count)}/{self._count}] written", False)

    def _show(self, text: str, important: bool) -> None:
        now = time.monotonic()
        if self._terminal:
            print(f"\r\x1b[K{text}", end="", flush=True)
        elif important or now - self._told >= EVERY:
            print(text, flush=True)
            self._told = now

    def end(self) -> None:
        """Leave the line."""
        self._over.set()
        if self._terminal:
            print()


if __name__ == "__main__":
    sys.exit(main())
