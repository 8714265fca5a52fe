"""Make the sample class, so that the first `make grade` on a fresh clone has work.

Run by whoever changes the assignment, after `nbgrader generate_assignment`: each notebook is the current release,
filled in as `sample_class.toml` says. The same release and the same table give the same bytes.
"""

import argparse
import hashlib
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = "custom_training_basics"
TABLE = Path(__file__).with_name("sample_class.toml")
SUMS = Path(__file__).with_name("sample_class.sha256")
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError("
KEYS = {"story", "expected", "ran", "failed", "colab", "body", "cell", "own", "printed"}


def load(table: Path = TABLE) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return the students by id, and what everybody's cells print. Raises ``ValueError`` on a key nobody knows."""
    students = tomllib.loads(table.read_text(encoding="utf-8"))
    printed = students.pop("printed")
    for student, row in students.items():
        if unknown := row.keys() - KEYS:
            raise ValueError(f"{table.name}: {student} has {', '.join(sorted(unknown))}; known are {sorted(KEYS)}")
    return students, printed


def make_class(release: Path, submitted: Path) -> list[Path]:
    """Write the notebook of every student below `submitted`, from the released notebook. Returns the files."""
    students, printed = load()
    files = []
    for student, row in students.items():
        notebook = nbformat.read(release, as_version=4)
        fill_in(notebook, row)
        if row["ran"]:
            run(notebook, row, {**printed, **row.get("printed", {})})
        if row.get("colab"):
            save_as_colab(notebook)
        files.append(submitted / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, files[-1])
    return files


def fill_in(notebook: NotebookNode, row: dict[str, Any]) -> None:
    """Put the student's answers and own cells into the notebook."""
    for name, body in row.get("body", {}).items():
        cell = cell_of(notebook, name)
        head, stub, _ = cell.source.partition(STUB)
        if not stub:
            raise ValueError(f"cell {name} has no stub to replace: has the release changed?")
        cell.source = head + "\n".join(f"    {line}".rstrip() for line in body.strip().split("\n"))
    for name, source in row.get("cell", {}).items():
        cell_of(notebook, name).source = source.strip()
    for name, source in row.get("own", {}).items():
        own = new_code_cell(source.strip(), id=f"own-{name}".replace("_", "-"))
        notebook.cells.insert(notebook.cells.index(cell_of(notebook, name)) + 1, own)


def run(notebook: NotebookNode, row: dict[str, Any], printed: dict[str, str]) -> None:
    """Save what a student's "run all" leaves: numbered cells, what they printed, the error that stopped it."""
    for count, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = count
        if cell.id == row["ran"]:
            kind, _, text = row["failed"].strip().partition(": ")
            cell.outputs = [new_output("error", ename=kind, evalue=text, traceback=text.split("\n"))]
            return
        if cell.id in printed:
            cell.outputs = [new_output("stream", name="stdout", text=printed[cell.id] + "\n")]


def save_as_colab(notebook: NotebookNode) -> None:
    """Save as Google Colab does: notebook format 4.0, no cell ids, its own metadata."""
    notebook.nbformat_minor = 0
    notebook.metadata["colab"] = {"provenance": []}
    for cell in notebook.cells:
        cell.metadata["id"] = cell.pop("id")


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return the cell with this id. Raises ``ValueError`` if the release has none."""
    found = [cell for cell in notebook.cells if cell.id == name]
    if not found:
        raise ValueError(f"the release has no cell {name}")
    return found[0]


def main() -> int:
    """Make the class from `release/` in `submitted/`, or from and in other folders."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--release", type=Path, default=ROOT / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    parser.add_argument("--submitted", type=Path, default=ROOT / "submitted")
    options = parser.parse_args()
    if not options.release.is_file():
        print(f"{options.release} is not there: run `nbgrader generate_assignment {ASSIGNMENT}` first", file=sys.stderr)
        return 1
    files = make_class(options.release, options.submitted)
    print("\n".join(map(str, files)))
    if options.submitted == ROOT / "submitted":
        SUMS.write_text(sums(files), encoding="ascii")
    return 0


def sums(files: list[Path]) -> str:
    """Return the files' SHA-256 sums: grading knows the sample class by them, and needs no sandbox for it."""
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.parts[-3]}\n" for file in files)


if __name__ == "__main__":
    sys.exit(main())
