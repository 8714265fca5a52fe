"""Where results lie in a graded notebook: a verdict in the outputs of its test cell, the rest in its metadata.

Written when a notebook is restored and graded; read when a class is graded, for feedback, and for the report.
"""

import json
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import asdict
from typing import Any

from proctor.dates.lateness import Lateness
from proctor.results.flag import Flag
from proctor.results.verdict import CellVerdict

MIME = "application/vnd.proctor.verdict+json"
METADATA = "proctor"


def verdict_of(cell: Mapping[str, Any]) -> CellVerdict | None:
    """Return the verdict in a graded cell, or None. Only ask test cells whose outputs we wrote.

    Raises ``ValueError`` if what is there is no verdict of ours.
    """
    for output in cell.get("outputs", []):
        content = output.get("data", {}).get(MIME)
        if content is not None:
            try:
                return CellVerdict.from_json(json.loads(content) if isinstance(content, str) else content)
            except (KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"not a verdict: {error}") from None
    return None


def add_flags(metadata: MutableMapping[str, Any], flags: Iterable[Flag]) -> None:
    """Add `flags` to a notebook's metadata."""
    ours = metadata.setdefault(METADATA, {})
    ours["flags"] = [*ours.get("flags", []), *map(asdict, flags)]


def note_lateness(metadata: MutableMapping[str, Any], late: Lateness) -> None:
    """Note how late the notebook was handed in, and what that costs."""
    metadata.setdefault(METADATA, {})["late"] = asdict(late)


def lateness_of(metadata: Mapping[str, Any]) -> Lateness | None:
    """Return what `note_lateness` has noted; None: it was in time. Raises ``ValueError`` if it is not ours."""
    try:
        found = metadata.get(METADATA, {}).get("late")
        return Lateness.from_json(found) if found is not None else None
    except (TypeError, AttributeError) as error:
        raise ValueError(f"no lateness: {error}") from None


def mark_executed(metadata: MutableMapping[str, Any]) -> None:
    """Note that our plug-in has executed the notebook: without, its points are another one's."""
    metadata.setdefault(METADATA, {})["executed"] = True


def was_executed(metadata: Mapping[str, Any]) -> bool:
    """Whether our plug-in has executed the notebook."""
    return metadata.get(METADATA, {}).get("executed") is True


def flags_of(metadata: Mapping[str, Any]) -> tuple[Flag, ...]:
    """Return the flags in a graded notebook's metadata. Raises ``ValueError`` if what is there is not ours."""
    try:
        return tuple(map(Flag.from_json, metadata.get(METADATA, {}).get("flags", [])))
    except (TypeError, AttributeError) as error:
        raise ValueError(f"not a flag: {error}") from None
