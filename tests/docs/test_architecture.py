"""docs/architecture.md tells what the imports tell: which package uses which, and what each module is for."""

import ast
import re
from pathlib import Path

import pytest
from course_files import ROOT

import proctor

SOURCE = ROOT / "src" / "proctor"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| .+? \| (.*?) ?\|$", PAGE, re.MULTILINE)
FOR_ALL = {"errors", "settings"}
PACKAGES = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
MAY_USE = {name: set(re.findall(r"`(\w+)`", uses)) for name, uses in ROWS}
MAY_USE["cli"] = set(PACKAGES)
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__init__.py")
PUBLIC = proctor._PLACES  # what can be imported from `proctor` itself, and loads its module then
MAX_LINES, MAX_FUNCTION = 300, 35


def imported(path: Path) -> set[tuple[str, ...]]:
    """The modules of ours that a file imports, as parts of their names: inside of functions and by a string as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import says less than the name"
            found |= {str(node.module), *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    found |= {
        f"proctor.{PUBLIC[name]}" for name in PUBLIC if f"proctor.{name}" in found and path != SOURCE / "__init__.py"
    }
    parts = {tuple(name.split(".")[1:]) for name in found if name.startswith("proctor.")}
    return {name for name in parts if is_module(name)}


def is_module(name: tuple[str, ...]) -> bool:
    """Whether these are the parts of a module's name, and not of a package's or of something inside a module."""
    return SOURCE.joinpath(*name).with_suffix(".py").is_file()


def test_every_package_has_a_row():
    """The table and the folder list are the same."""
    assert sorted(name for name, _ in ROWS) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_uses_what_its_row_says(package):
    """An arrow that is not in the table fails here, and so does one that is there and used by nobody."""
    used = {name[0] for path in (SOURCE / package).rglob("*.py") for name in imported(path)}
    assert used - {package} - FOR_ALL <= MAY_USE[package]
    assert not MAY_USE[package] - used or package == "cli"  # which may use everything


def test_arrows_point_down():
    """Packages that use each other in a circle, by the table, have no top and no bottom."""
    left = {name: uses - {name} for name, uses in MAY_USE.items()}
    while left:
        lowest = {name for name, uses in left.items() if not uses & set(left)}
        assert lowest, f"a circle among {', '.join(left)}"
        left = {name: uses for name, uses in left.items() if name not in lowest}


def test_modules_make_no_circle():
    """No module imports, over any number of others, one that imports it."""
    uses = {path.relative_to(SOURCE).with_suffix("").parts: imported(path) for path in MODULES}
    while uses:
        lowest = {name for name, others in uses.items() if not others & set(uses) - {name}}
        assert lowest, f"a circle among {', '.join('.'.join(name) for name in uses)}"
        uses = {name: others for name, others in uses.items() if name not in lowest}


def test_errors_and_settings_use_nothing_of_ours():
    """What everything may use is at the very bottom."""
    assert all(not imported(SOURCE / f"{name}.py") for name in FOR_ALL)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_three_to_nine_modules(package):
    """Fewer are no package, more are two; its `__init__` is a docstring and imports nothing."""
    assert 3 <= len([path for path in (SOURCE / package).glob("*.py") if path.name != "__init__.py"]) <= 9
    body = ast.parse((SOURCE / package / "__init__.py").read_text(encoding="utf-8")).body
    assert [type(node) for node in body] == [ast.Expr]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_modules_and_functions_can_be_read_at_once(path):
    """Nothing is longer than a reader's memory."""
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_LINES
    functions = (
        node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    assert [node.name for node in functions if node.end_lineno - node.lineno >= MAX_FUNCTION] == []


def test_every_module_has_a_sentence():
    """Its own first sentence: the page is made of the docstrings."""
    listed = dict(re.findall(r"^- `([\w.]+)`: (.+)$", PAGE, re.MULTILINE))
    assert listed == {name_of(path): sentence_of(path) for path in MODULES}


def name_of(path: Path) -> str:
    """The module's name below `proctor`."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


def sentence_of(path: Path) -> str:
    """The first line of its docstring."""
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()[0]
