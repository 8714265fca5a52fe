"""nbgrader's check of its own metadata, done once for what is the same in a whole class.

nbgrader validates its schema, then a cell against it, for each cell of each submission: a sixth of what it costs to
grade one. The cells of a class carry the same metadata, as they are taken from the release.
"""

import json
from typing import Any

from nbgrader.preprocessors import CheckCellMetadata

MOST = 10_000  # cells that are remembered

_valid: set[tuple[str, str]] = set()


class CheckMetadata(CheckCellMetadata):  # type: ignore[misc]
    """nbgrader's CheckCellMetadata, asked only about what it has not found valid before."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Raise nbgrader's ``ValidationError`` for metadata that are not as they should be, and for doubled ids."""
        cells = [cell for cell in nb.cells if "nbgrader" in cell.metadata]
        ids = [cell.metadata["nbgrader"].get("grade_id") for cell in cells]
        # What nbgrader looks at: nothing else of a cell decides.
        seen = {(str(cell.cell_type), json.dumps(cell.metadata["nbgrader"], sort_keys=True)) for cell in cells}
        if seen <= _valid and len(set(ids)) == len(ids):
            return nb, resources
        nb, resources = super().preprocess(nb, resources)
        if len(_valid) + len(seen) <= MOST:
            _valid.update(seen)
        return nb, resources
