"""Whether what claims to be a picture is one, told by its header, and small enough for a browser to show.

Asked of outputs (`proctor.notebook.cell_run`) and of what is attached to text cells (`proctor.autograde.defuse`).
"""

import base64
import io
import warnings
from collections.abc import Iterable

from PIL import Image

MAX_PIXELS = 25_000_000  # a browser unpacks a picture to four bytes for each
FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF"}


def pixels_of(encoded: str, kinds: Iterable[str] = FORMATS) -> int:
    """How many pixels the base64 text `encoded` has; 0 if it is no picture of `kinds` (MIME types), or too large."""
    try:
        raw = base64.b64decode(encoded.replace("\n", ""), validate=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=[FORMATS[kind] for kind in kinds]) as picture:
                pixels = picture.width * picture.height
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0
    return pixels if pixels <= MAX_PIXELS else 0
