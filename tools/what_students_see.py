"""Make docs/what-students-see.md: ten mistakes, typed into the release in JupyterLab, and what it says.

Run by `make seen`. A real server, a real kernel and a real browser: each answer is typed into its cell, which is run
with Shift+Enter, and so are the cell to try it in and the checks below. What then stands below them is written down.
"""

import hashlib
import re
import shutil
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import nbformat

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import lab  # noqa: E402

NAME = "custom_training_basics"
RELEASE = ROOT / "release" / NAME / f"{NAME}.ipynb"
TABLE = Path(__file__).with_name("ten_mistakes.toml")
PAGE = ROOT / "docs" / "what-students-see.md"
HEAD = """# What students see on the way

Ten mistakes on the way to the right answer, and what the notebook says to each: below the cell that students try their
function in, and below the checks. No hidden test speaks here; those come later, and [say where to
look](students.md#your-feedback), too.

`make seen` made this page: each answer was typed into the released notebook in JupyterLab and run there, and this is
what stood below the cells in the browser. A test fails when the notebook is another one.
"""
STATE = """() => { const panel = window.jupyterapp.shell.currentWidget;
    return panel.context.sessionContext.session?.kernel?.status; }"""


def load() -> dict[str, Any]:
    """Return the mistakes, in the notebook's order, and the right answers."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


def mark() -> str:
    """The line by which the page says of which notebook and of which mistakes it is."""
    digest = hashlib.sha256(RELEASE.read_bytes() + TABLE.read_bytes()).hexdigest()
    return f"<!-- of {digest[:16]} -->"


def main() -> None:
    """Type everything in and write the page."""
    if lab.CHROMIUM is None:
        sys.exit(lab.NO_BROWSER)
    table, parts, task = load(), [HEAD, mark() + "\n"], ""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(RELEASE, folder)
        with lab.running(Path(folder), Path(folder) / "home") as server, lab.browser() as browser:
            notebook = Notebook(browser.page(server, 1200, 1000), server)
            for mistake in table["mistake"]:
                if mistake["cell"] != task:
                    if task:
                        notebook.answer(task, table["right"][task])
                    task = mistake["cell"]
                    notebook.run_to(task)
                    parts.append(f"## {notebook.heading(task)}\n")
                parts.append(section(mistake, *notebook.answer(task, mistake.get("body", ""))))
                print(mistake["title"], flush=True)
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def section(mistake: Any, tried: str, checked: str) -> str:
    """One mistake on the page."""
    lines = [f"### {mistake['title']}\n"]
    if mistake.get("body"):
        lines.append(f"```python\n{mistake['body'].strip()}\n```\n")
    if tried == checked:
        lines.append(f"Both cells below it say:\n\n```text\n{tried}\n```\n")
    else:
        lines.append(f"Trying it says:\n\n```text\n{tried or '(nothing)'}\n```\n")
        lines.append(f"The checks say:\n\n```text\n{checked or '(nothing)'}\n```\n")
    return "\n".join(lines)


class Notebook:
    """The released notebook, open in JupyterLab."""

    def __init__(self, page: Any, server: lab.Lab) -> None:
        self._page, self._done = page, 0
        self._nb: Any = nbformat.read(RELEASE, as_version=4)
        page.goto(server.url(f"lab/tree/{NAME}.ipynb"))
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_selector("text=/\\| Idle$/", state="attached")

    def heading(self, name: str) -> str:
        """Title of the task whose solution cell is `name`."""
        above = "\n".join(cell.source for cell in self._nb.cells[: self._place(name)] if cell.cell_type == "markdown")
        return re.findall(r"^## (Task .*)$", above, re.MULTILINE)[-1]

    def run_to(self, name: str) -> None:
        """Run all cells from where we are to the one before the solution cell `name`."""
        for place in range(self._done, self._place(name)):
            self._run(place)
        self._done = self._place(name)

    def answer(self, name: str, body: str) -> tuple[str, str]:
        """Type an answer and run it, the cell to try it in and the checks; return what stands below the latter two."""
        place = self._place(name)
        if body:
            source = self._nb.cells[place].source
            head = source[: source.rindex('"""') + 3]
            self._cell(place).locator(".cm-content").click()
            self._page.keyboard.press("Control+a")
            self._page.keyboard.insert_text(f"{head}\n{textwrap.indent(body.strip(), '    ')}")
        for number in range(place, self._place(f"test_{name}") + 1):
            self._run(number)
        tries = next(
            number for number in range(place + 1, len(self._nb.cells)) if self._nb.cells[number].cell_type == "code"
        )
        self._done = self._place(f"test_{name}") + 1
        return self._said(tries), self._said(self._place(f"test_{name}"))

    def _place(self, name: str) -> int:
        return next(
            number
            for number, cell in enumerate(self._nb.cells)
            if cell.metadata.get("nbgrader", {}).get("grade_id") == name
        )

    def _cell(self, place: int) -> Any:
        return self._page.locator(".jp-Notebook .jp-Cell").nth(place)

    def _run(self, place: int) -> None:
        """Press Shift+Enter in a code cell, and wait until the kernel has done it."""
        if self._nb.cells[place].cell_type != "code":
            return
        cell = self._cell(place)
        cell.locator(".jp-InputPrompt").click()
        self._page.keyboard.press("Shift+Enter")
        self._page.wait_for_timeout(300)  # the key is on its way
        self._page.wait_for_function(f"({STATE})() === 'idle'")
        cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for()

    def _said(self, place: int) -> str:
        texts = self._cell(place).locator(".jp-OutputArea-output").all_inner_texts()
        lines = [line.rstrip() for text in texts for line in text.strip().splitlines()]
        return "\n".join(line for line in lines if line)


if __name__ == "__main__":
    main()
