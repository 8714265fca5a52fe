"""Writes the list of modules in docs/architecture.md from the modules' own docstrings."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE, PAGE = ROOT / "src" / "proctor", ROOT / "docs" / "architecture.md"


def main() -> None:
    """Replace what stands below the heading "Modules"."""
    lines, package = [], ""
    for path in sorted(SOURCE.rglob("*.py"), key=lambda path: (path.parent != SOURCE, path)):
        if path.name == "__init__.py":
            continue
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        if path.parent != SOURCE and path.parent.name != package:
            package = path.parent.name
            lines += ["", f"**{package}**", ""]
        lines.append(f"- `{name}`: {(ast.get_docstring(ast.parse(path.read_text('utf-8'))) or '').splitlines()[0]}")
    before = PAGE.read_text(encoding="utf-8").partition("## Modules\n")[0]
    PAGE.write_text(before + "## Modules\n\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
