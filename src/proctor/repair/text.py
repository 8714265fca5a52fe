"""Code that stands where it does not run: in a text cell, or as a comment.

Called by `rebuild`.
"""

import re
from collections.abc import Collection, Sequence

from proctor.repair import code
from proctor.repair.code import MAX_SOURCE

COMMENT = re.compile(r"^([ \t]*)#+ ?", re.MULTILINE)


def code_in(text: str, wanted: Collection[str]) -> str:
    """Code in a text cell: what stands between fences, or all of it, or else the functions in it that are `wanted`."""
    if len(text) > MAX_SOURCE:
        return ""
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if line.lstrip().startswith(("```", "~~~"))]
    if fences:
        ends = [*fences[1::2], *([len(lines)] if len(fences) % 2 else [])]
        return "\n".join(line for start, end in zip(fences[::2], ends, strict=True) for line in lines[start + 1 : end])
    return text if code.body(text) is not None else _functions_in(lines, wanted)


def _functions_in(lines: Sequence[str], wanted: Collection[str]) -> str:
    """The `wanted` functions among other lines, each with the indented ones below it."""
    kept: list[str] = []
    inside = False
    for line in lines:
        begins = any(line.startswith(f"def {name}(") for name in wanted)
        inside = begins or (inside and (not line.strip() or line[0] in " \t"))
        kept += [line] if inside else []
    return "\n".join(kept)


def uncommented(source: str) -> str:
    """What a cell would be without its first column of comment signs."""
    return COMMENT.sub(r"\1", source) if len(source) <= MAX_SOURCE else ""


def only_in_text(source: str, names: Collection[str], stub: str) -> bool:
    """Whether functions stand in the comments or in the texts of a cell only, with more in them than was released."""
    stubs = (stub, uncommented(stub))
    texts = [text for node in code.body(source) or () if (text := code.text_of(node)) is not None]
    return any(
        set(names) & code.defined(text) and not any(code.implements_nothing(text, unwritten) for unwritten in stubs)
        for text in (uncommented(source), *texts)
    )
