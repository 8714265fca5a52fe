"""The course itself: what is secret in it, and what of that could be recognised elsewhere."""

import ast
import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
ASSIGNMENT = "custom_training_basics"
# hints.py is advice for students; the visible checks give the same.
SECRETS = sorted(
    set((ROOT / "grader_tests" / ASSIGNMENT).glob("*.py")) - {ROOT / "grader_tests" / ASSIGNMENT / "hints.py"}
)
# What anybody would write who has read TensorFlow's documentation.
COMMON = {"with tf.GradientTape() as tape:", "except Exception as error:"}


def given() -> str:
    """What the notebook gives to every student: all of it but the solutions."""
    nb = nbformat.read(ROOT / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    return "\n".join(re.sub(r"### BEGIN .*?### END", "", cell.source, flags=re.DOTALL) for cell in nb.cells)


def statements(path: Path) -> set[str]:
    """Lines of code of `path` that tell something: not what every student is given, nor a phrase of one word.

    Both as they were written and as Python prints them.
    """
    source = path.read_text()
    lines = {line.strip() for text in (source, ast.unparse(ast.parse(source))) for line in text.splitlines()}
    public = given()
    found = {line for line in lines if len(line) > 24 and not line.startswith(("import ", "from ", "#", '"', "@"))}
    return {line for line in found if line not in public and line not in COMMON}
