"""Pictures of a notebook are laid out and drawn once: IPython's way of showing a figure does both twice.

For a picture as large as what is on it (``bbox_inches="tight"``), matplotlib lays a figure out to measure it, and then
draws it in that size. Here it is drawn on a canvas with a margin, measured where it lies, and cut to the same size. And
while all is in its place, an axis works out its ticks once: matplotlib asks for them eleven times a picture.
`proctor.kernels.rehearsal` calls `install` in the warm process, and draws a first picture that way.
"""

import contextlib
import io
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

# Inches around the figure: left, below, right, above. What reaches further out is drawn as IPython does it.
MARGINS = (0.5, 1.0, 2.0, 1.0)


def install() -> None:
    """Have IPython, and with it the inline backend, show figures this way."""
    from IPython.core import pylabtools

    pylabtools.print_figure = drawing_once(pylabtools.print_figure)
    if "matplotlib" in sys.modules:
        from matplotlib import layout_engine

        tight: Any = layout_engine.TightLayoutEngine
        tight.execute = laying_out_quickly(tight.execute)


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


def laying_out_quickly(execute: Callable[..., None]) -> Callable[..., None]:
    """What ``TightLayoutEngine.execute`` does: it moves the axes when all of them are measured, and not before."""

    @wraps(execute)
    def execute_quickly(engine: Any, fig: Any) -> None:
        with _ticks_worked_out_once(fig):
            execute(engine, fig)

    return execute_quickly


def _drawn_once(fig: Any) -> bytes | None:
    """The figure as a PNG file; None if something on it reaches out of the margins, or nothing is on it."""
    from matplotlib import rcParams
    from PIL import Image

    dpi = fig.dpi
    pixels, box = _draw(fig, *(round(inches * dpi) / dpi for inches in MARGINS))
    if box is None:
        return None
    width, height = (int(size) for size in (fig.canvas.renderer.width, fig.canvas.renderer.height))
    box = box.padded(rcParams["savefig.pad_inches"])
    left, top = round(box.x0 * dpi), height - round(box.y1 * dpi)
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


def _draw(fig: Any, left: float, below: float, right: float, above: float) -> tuple[Any, Any]:
    """The pixels of the figure with these margins, and where on them it is, in inches; None if nothing is on it.

    The pixels are the canvas's own.
    """
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
    boxes: list[Any] = []
    measuring = fig.canvas.mpl_connect("draw_event", lambda event: boxes.append(_measured(fig, event.renderer)))
    try:
        if engine is not None:
            fig.set_layout_engine(None)  # it has done its work; with one, matplotlib would draw twice after all
        with _ticks_worked_out_once(fig):
            fig.canvas.print_figure(file, format="rgba", dpi=fig.dpi, bbox_inches=canvas, **colors)
    finally:
        fig.canvas.mpl_disconnect(measuring)
        if engine is not None:
            fig.set_layout_engine(engine)
    return file.written, boxes[-1]


def _measured(fig: Any, renderer: Any) -> Any:
    box = fig.get_tightbbox(renderer)
    return None if box is fig.bbox_inches else box  # the whole canvas, then


@contextlib.contextmanager
def _ticks_worked_out_once(fig: Any) -> Iterator[None]:
    """Have each axis of `fig` keep its ticks, and the boxes of their labels, while nothing on the figure changes."""
    from matplotlib.axis import XAxis, YAxis

    every = [axis for axes in fig.axes for axis in (axes.xaxis, axes.yaxis)]
    kept = [axis for axis in every if type(axis) in (XAxis, YAxis) and "_update_ticks" not in vars(axis)]
    for axis in kept:
        _keep_ticks(axis)
    try:
        yield
    finally:
        for axis in kept:
            del axis._update_ticks, axis._get_ticklabel_bboxes


def _keep_ticks(axis: Any) -> None:
    update, boxes_of = axis._update_ticks, axis._get_ticklabel_bboxes
    ticks: dict[Any, Any] = {}
    boxes: dict[Any, Any] = {}

    def state() -> Any:
        # A locator chooses ticks by the limits and by the room; while a picture is drawn, an aspect may change both.
        return (*axis.get_view_interval(), *axis.axes.bbox.bounds, axis.axes.figure.dpi)

    def update_ticks() -> Any:
        now = state()
        if now not in ticks:
            ticks.clear()
            boxes.clear()
            ticks[now] = update()
        return ticks[now]

    def ticklabel_bboxes(of: Any, renderer: Any) -> Any:
        now = state()
        if ticks.get(now) is not of:
            return boxes_of(of, renderer)
        if now not in boxes:
            boxes[now] = boxes_of(of, renderer)
        return boxes[now]

    axis._update_ticks, axis._get_ticklabel_bboxes = update_ticks, ticklabel_bboxes
