"""Pictures of a notebook are laid out and drawn once: IPython's way of showing a figure does both twice.

For a picture as large as what is on it (``bbox_inches="tight"``), matplotlib lays a figure out to measure it, and then
draws it in that size. Here it is drawn on a canvas with a margin, and cut to the same size. `proctor.kernels.rehearsal`
calls `install` in the warm process, and draws a first picture that way.
"""

import contextlib
import io
from base64 import b64encode
from collections.abc import Callable
from functools import wraps
from typing import Any

# Inches around the figure: left, below, right, above. What reaches further out is drawn as IPython does it.
MARGINS = (0.5, 1.0, 2.0, 1.0)


def install() -> None:
    """Have IPython, and with it the inline backend, show figures this way."""
    from IPython.core import pylabtools

    pylabtools.print_figure = drawing_once(pylabtools.print_figure)


def drawing_once(print_figure: Callable[..., Any]) -> Callable[..., Any]:
    """What ``IPython.core.pylabtools.print_figure`` does; to that is left whatever is not an ordinary picture."""

    @wraps(print_figure)
    def print_once(fig: Any, fmt: str = "png", bbox_inches: Any = "tight", base64: bool = False, **options: Any) -> Any:
        picture = None
        if (fmt, bbox_inches, options) == ("png", "tight", {}) and fig.axes:
            with contextlib.suppress(Exception):  # a figure can have any form, and do anything when it is drawn
                picture = _drawn_once(fig)
        if picture is None:
            return print_figure(fig, fmt, bbox_inches, base64, **options)
        return b64encode(picture).decode("ascii") if base64 else picture

    return print_once


def _drawn_once(fig: Any) -> bytes | None:
    """The figure as a PNG file; None if something on it reaches out of the margins."""
    from matplotlib import rcParams
    from PIL import Image

    dpi = fig.dpi
    margins = [round(inches * dpi) for inches in MARGINS]
    pixels = _draw(fig, *(margin / dpi for margin in margins))
    width, height = (int(size) for size in (fig.canvas.renderer.width, fig.canvas.renderer.height))
    box = fig.get_tightbbox(fig.canvas.renderer).padded(rcParams["savefig.pad_inches"])
    left, top = margins[0] + round(box.x0 * dpi), height - margins[1] - round(box.y1 * dpi)
    right, bottom = left + int(box.width * dpi), top + int(box.height * dpi)
    if min(left, top) < 0 or right > width or bottom > height:
        return None
    file = io.BytesIO()
    picture = Image.frombuffer("RGBA", (width, height), pixels, "raw", "RGBA", 0, 1)
    picture.crop((left, top, right, bottom)).save(file, "png", dpi=(dpi, dpi), compress_level=1)
    return file.getvalue()


class _NoFile(io.RawIOBase):
    """Takes the pixels that matplotlib writes, without a copy."""

    written: Any = b""

    def write(self, pixels: Any) -> int:
        self.written = pixels
        return len(pixels)


def _draw(fig: Any, left: float, below: float, right: float, above: float) -> Any:
    """The pixels of the figure with these margins, in inches; they are the canvas's own."""
    from matplotlib.transforms import Bbox

    engine = fig.get_layout_engine()
    if engine is not None:
        engine.execute(fig)
    for axes in fig.axes:  # as `Figure.draw` does; from here on, places are fixed
        locator = axes.get_axes_locator()
        axes.apply_aspect(locator(axes, None) if locator else None)
    width, height = fig.get_size_inches()
    canvas = Bbox.from_extents(-left, -below, width + right, height + above)
    file, colors = _NoFile(), {"facecolor": fig.get_facecolor(), "edgecolor": fig.get_edgecolor()}
    try:
        if engine is not None:
            fig.set_layout_engine(None)  # it has done its work; with one, matplotlib would draw twice after all
        fig.canvas.print_figure(file, format="rgba", dpi=fig.dpi, bbox_inches=canvas, **colors)
    finally:
        if engine is not None:
            fig.set_layout_engine(engine)
    return file.written
