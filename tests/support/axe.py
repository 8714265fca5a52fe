"""What axe-core, the checker that browsers' own tools use, finds on a page: contrast, names of fields, keyboard access."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

SERIOUS = ("serious", "critical")


def violations(page: Any, *impacts: str) -> list[str]:
    """Rules that the page breaks, each with the elements; only those of these `impacts`, or all."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']}: {[node['html'][:200] for node in rule['nodes'][:5]]}"
        for rule in found
        if not impacts or rule["impact"] in impacts
    ]


def reached_by_tab(page: Any, most: int = 400) -> list[str]:
    """What the Tab key comes to, one press after another, until it begins again: the beginning of each element."""
    reached: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        element = page.evaluate("document.activeElement === document.body ? '' : document.activeElement.outerHTML")
        if not element or element[:300] in reached[:1]:
            break
        reached.append(element[:300])
    return reached
