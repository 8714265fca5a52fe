"""A picture is drawn once and looks as if IPython had made it: same size, same places, nothing cut off."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
import numpy as np
import pytest
from IPython.core import pylabtools
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.layout_engine import TightLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator
from PIL import Image

from proctor.light_kernel.pictures import _ticks_worked_out_once, drawing_once, laying_out_quickly

print_once = drawing_once(pylabtools.print_figure)
FIGURES: dict[str, Callable[[], Figure]] = {}
BEYOND_THE_MARGIN = {"a legend far outside"}


def figure(name: str) -> Callable[[Callable[[], Figure]], Callable[[], Figure]]:
    """Put a way to make a figure into the table."""

    def register(make: Callable[[], Figure]) -> Callable[[], Figure]:
        FIGURES[name] = make
        return make

    return register


@figure("labels and a title")
def _() -> Figure:
    fig, axes = plt.subplots()
    axes.plot([1, 2, 4])
    axes.set(xlabel="epoch", ylabel="loss\nin two lines", title="Before training")
    return fig


@figure("a legend beside the axes")
def _() -> Figure:
    fig, axes = plt.subplots()
    axes.plot([1, 2], label="a label of some length")
    axes.legend(bbox_to_anchor=(1.02, 1), loc="upper left")
    return fig


@figure("a legend far outside")
def _() -> Figure:
    fig, axes = plt.subplots()
    axes.plot([1, 2], label="far away")
    axes.legend(bbox_to_anchor=(2.5, 1), loc="upper left")
    return fig


@figure("a large title over several axes")
def _() -> Figure:
    fig, _ = plt.subplots(2, 2)
    fig.suptitle("axo", fontsize=24, y=1.05)
    return fig


@figure("an image with a colour bar")
def _() -> Figure:
    fig, axes = plt.subplots()
    fig.colorbar(axes.imshow(np.arange(20).reshape(4, 5)), label="value")
    return fig


@figure("an image without axes")
def _() -> Figure:
    fig, axes = plt.subplots()
    axes.imshow(np.ones((5, 9, 3)))
    axes.axis("off")
    return fig


@figure("a tight layout")
def _() -> Figure:
    fig, axes = plt.subplots(1, 2, figsize=(9, 3.5))
    for each in axes:
        each.set_ylabel("loss")
    plt.tight_layout()
    return fig


@figure("two axes side by side")
def _() -> Figure:
    return plt.subplots(1, 2)[0]


@figure("a layout that is kept")
def _() -> Figure:
    fig, axes = plt.subplots(1, 2, layout="constrained")
    fig.colorbar(axes[0].imshow(np.arange(20).reshape(4, 5)), ax=axes, label="value")
    return fig


@figure("equal axes")
def _() -> Figure:
    fig, axes = plt.subplots()
    axes.plot([1, 2], [1, 5])
    axes.set_aspect("equal")
    return fig


@figure("two scales")
def _() -> Figure:
    fig, axes = plt.subplots()
    axes.semilogy([1e-3, 1, 1e5])
    axes.twinx().set_ylabel("the other")
    return fig


@figure("turned tick labels")
def _() -> Figure:
    fig, axes = plt.subplots()
    axes.bar([f"a category {n}" for n in range(8)], range(8))
    axes.tick_params(axis="x", rotation=75)
    return fig


@figure("a note beside the axes")
def _() -> Figure:
    fig, axes = plt.subplots()
    axes.annotate("look", (0.5, 0.5), (1.1, 1.1), arrowprops={"arrowstyle": "->"}, annotation_clip=False)
    return fig


@figure("one scale for several axes")
def _() -> Figure:
    fig, axes = plt.subplots(2, 2, sharex=True, sharey="row")
    axes[1, 0].plot([0, 1e6], [1e-7, 3e-7])
    axes[0, 1].secondary_xaxis("top").set_xlabel("above")
    axes[0, 0].set_title("title")
    return fig


@figure("a title above ticks at the top")
def _() -> Figure:
    fig, axes = plt.subplots()
    axes.xaxis.tick_top()
    axes.set(title="title", xlabel="below")
    fig.align_labels()
    return fig


@figure("three dimensions")
def _() -> Figure:
    fig = plt.figure()
    fig.add_subplot(projection="3d").scatter([0, 1], [1, 2], [1, 2])
    return fig


@figure("a circle")
def _() -> Figure:
    fig = plt.figure()
    fig.add_subplot(projection="polar").plot([0, 1, 2], [1, 2, 3])
    return fig


@figure("a dark figure of an odd size")
def _() -> Figure:
    fig, axes = plt.subplots(facecolor="#333", figsize=(5.33, 3.21), dpi=72.5)
    axes.plot([1, 2])
    return fig


@pytest.fixture(autouse=True)
def agg() -> Iterator[None]:
    """No window, and no figure is left."""
    with matplotlib.rc_context({"backend": "agg"}):
        yield
    plt.close("all")


@pytest.mark.parametrize("name", FIGURES)
def test_looks_as_before(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Same size within two pixels, and the same picture but for what half a pixel's shift does to a line's edge."""
    theirs = _pixels(pylabtools.print_figure(FIGURES[name]()))
    drawn: list[Figure] = []
    draw: Any = Figure.draw
    fig = FIGURES[name]()
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: drawn.append(self) or draw(self, renderer))
    ours = _pixels(print_once(fig))
    assert len(drawn) == (3 if name in BEYOND_THE_MARGIN else 1)
    assert np.abs(np.subtract(theirs.size, ours.size)).max() <= 2
    assert _difference(theirs, ours) < 55
    frame = np.concatenate([np.asarray(ours)[edge] for edge in (0, -1)])
    assert len(np.unique(frame, axis=0)) == 1, "something reaches the edge: is it cut off?"


def test_ticks_are_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once an axis for the layout, and once for the picture; afterwards, an axis is as it was made."""
    asked: list[Any] = []
    tick_values: Any = MaxNLocator.tick_values
    monkeypatch.setattr(MaxNLocator, "tick_values", lambda self, *ends: asked.append(self) or tick_values(self, *ends))
    fig = FIGURES["two axes side by side"]()
    axes = [axis for each in fig.axes for axis in (each.xaxis, each.yaxis)]
    monkeypatch.setattr(TightLayoutEngine, "execute", laying_out_quickly(TightLayoutEngine.execute))
    asked.clear()
    fig.tight_layout()
    assert len(asked) == len(axes)
    print_once(fig)
    assert len(asked) == 2 * len(axes)
    assert not any("_update_ticks" in vars(axis) for axis in axes)


@pytest.mark.parametrize("name", sorted(FIGURES.keys() - BEYOND_THE_MARGIN - {"a layout that is kept"}))
def test_a_quick_layout_is_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure that can have this layout: its axes are where matplotlib puts them, to the last bit."""
    theirs, ours = FIGURES[name](), FIGURES[name]()
    theirs.tight_layout()
    monkeypatch.setattr(TightLayoutEngine, "execute", laying_out_quickly(TightLayoutEngine.execute))
    ours.tight_layout()
    places = [[axes.get_position().bounds for axes in fig.axes] for fig in (theirs, ours)]
    assert places[0] == places[1]


def test_ticks_follow_what_moves_meanwhile() -> None:
    """A picture in which drawing itself changes the limits has the ticks of the limits that are drawn."""

    class Moving(Text):
        def draw(self, renderer: Any) -> None:
            self.axes.set_xlim(0, 500)
            super().draw(renderer)

    def make() -> Figure:
        fig, axes = plt.subplots()
        axes.add_artist(Moving(0.5, 0.5, "x", zorder=-1))
        return fig

    assert _difference(_pixels(pylabtools.print_figure(make())), _pixels(print_once(make()))) < 55
    fig = make()
    axis = fig.axes[0].xaxis
    with _ticks_worked_out_once(fig):
        before = [tick.get_loc() for tick in axis._update_ticks()]
        fig.axes[0].set_xlim(0, 500)
        after = [tick.get_loc() for tick in axis._update_ticks()]
    assert max(before) <= 1 < max(after)


def test_a_shift_would_be_seen() -> None:
    """What `test_looks_as_before` allows is less than what two pixels make."""
    picture = _pixels(pylabtools.print_figure(FIGURES["labels and a title"]()))
    moved = Image.new("RGB", picture.size, "white")
    moved.paste(picture, (2, 0))
    assert _difference(picture, moved) > 60


def _pixels(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def _difference(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of two colours when six by six pixels are seen as one."""
    box = (0, 0, min(one.width, other.width), min(one.height, other.height))
    first, second = (np.asarray(picture.crop(box).reduce(6), int) for picture in (one, other))
    return int(np.abs(first - second).max())


def test_can_be_shown_again() -> None:
    """Showing a figure does not change it: another look, and a file saved afterwards, are what they were."""
    fig = FIGURES["a tight layout"]()
    saved = io.BytesIO()
    fig.savefig(saved, metadata={"Software": None})
    assert print_once(fig) == print_once(fig)
    again = io.BytesIO()
    fig.savefig(again, metadata={"Software": None})
    assert again.getvalue() == saved.getvalue()


def test_whatever_is_no_ordinary_picture_is_left_to_ipython() -> None:
    """Empty figures, other formats and options, and figures that cannot be drawn."""
    drawing = drawing_once(lambda *arguments, **options: (arguments[1:], options))
    fig, axes = plt.subplots(visible=False)
    assert drawing(fig) == (("png", "tight", False), {})
    fig, axes = plt.subplots()
    assert drawing(plt.figure()) == (("png", "tight", False), {})
    assert drawing(fig, fmt="svg") == (("svg", "tight", False), {})
    assert drawing(fig, bbox_inches=None, base64=True) == (("png", None, True), {})
    assert drawing(fig, pad_inches=1) == (("png", "tight", False), {"pad_inches": 1})
    axes.set_title("$not closed")
    axes.text(0, 0, r"$\nothing$")
    assert drawing(fig) == (("png", "tight", False), {})
