"""The pages that people read, and what is in them: commands, settings, links."""

import re
from pathlib import Path

from course_files import ROOT

PAGES = sorted(
    path for pattern in ("*.md", "docs/**/*.md") for path in ROOT.glob(pattern) if not path.name.startswith(".")
)


def names() -> list[str]:
    """Paths of the pages, as test ids."""
    return [str(path.relative_to(ROOT)) for path in PAGES]


def blocks(page: Path, language: str) -> list[str]:
    """Contents of the page's fenced blocks in this language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """Lines of the page's blocks of commands."""
    lines = [line.strip() for language in ("bash", "console", "sh") for block in blocks(page, language)
             for line in block.splitlines()]  # fmt: skip
    return [line for line in lines if line and not line.startswith("#")]
