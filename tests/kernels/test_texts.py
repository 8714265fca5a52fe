"""Texts are measured once, and as matplotlib measures them: whatever the font, its size and the settings."""

import io
from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.backends import backend_agg
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from proctor.light_kernel import texts

FONTS = ["DejaVu Sans", "STIXGeneral", "cmr10", "DejaVu Sans Mono"]


def drawn(dpi: int = 100, **options: Any) -> np.ndarray:
    """The pixels of a picture with texts of several kinds."""
    figure = Figure(figsize=(4, 3), dpi=dpi)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([0, 1000], label="gjpqy\nin two lines")
    axes.set_title("Loss, Ärger: $w^2$", **options)
    axes.set_xlabel("epoch", rotation=30)
    axes.legend(loc="upper left")
    figure.tight_layout()
    canvas.print_raw(io.BytesIO())
    return np.asarray(canvas.buffer_rgba()).copy()


@pytest.fixture
def installed() -> Iterator[None]:
    """Measure once in this process, until the end of the test."""
    before = RendererAgg.get_text_width_height_descent
    texts.install()
    yield
    RendererAgg.get_text_width_height_descent = before  # type: ignore[method-assign]
    del RendererAgg._get_font_height_metrics  # type: ignore[attr-defined]


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("dpi", [72, 100])
def test_a_picture_is_the_same_to_the_pixel(font: str, dpi: int, request: pytest.FixtureRequest) -> None:
    """At the first drawing and at the second, for which everything is known."""
    options = {"family": font, "size": 13}
    as_usual = drawn(dpi, **options)
    request.getfixturevalue("installed")
    assert all(np.array_equal(drawn(dpi, **options), as_usual) for _ in range(2))


def test_another_size_would_be_seen() -> None:
    """The comparison above is not blind."""
    assert not np.array_equal(drawn(size=13), drawn(size=13.5))


def test_a_text_is_measured_once_for_all_pictures() -> None:
    """And once more for each thing that its size depends on."""
    seen: list[str] = []
    measure = texts.measuring_once(lambda renderer, s, prop, ismath: seen.append(s) or (1.0, 2.0, 3.0))
    text = FontProperties(family="DejaVu Sans", size=10)
    for _ in range(2):
        assert measure(RendererAgg(10, 10, 100), "epoch", text, False) == (1.0, 2.0, 3.0)
    assert seen == ["epoch"]
    measure(RendererAgg(10, 10, 100), "w", text, False)
    measure(RendererAgg(10, 10, 72), "epoch", text, False)
    measure(RendererAgg(10, 10, 100), "epoch", FontProperties(family="DejaVu Sans", size=11), False)
    measure(RendererAgg(10, 10, 100), "epoch", FontProperties(family="cmr10", size=10), False)
    with matplotlib.rc_context({"text.hinting": "none"}):
        measure(RendererAgg(10, 10, 100), "epoch", text, False)
    with matplotlib.rc_context({"font.enable_last_resort": False}):
        measure(RendererAgg(10, 10, 100), "epoch", text, False)
    assert len(seen) == 7


def test_a_family_may_come_to_mean_another_font() -> None:
    """A setting that is changed between two pictures counts for the second."""
    seen: list[str] = []
    measure = texts.measuring_once(lambda renderer, s, prop, ismath: seen.append(s) or (1.0, 2.0, 3.0))
    for font in ("DejaVu Sans", "STIXGeneral", "DejaVu Sans"):
        with matplotlib.rc_context({"font.sans-serif": [font]}):
            measure(RendererAgg(10, 10, 100), "epoch", FontProperties(family="sans-serif", size=10), False)
    assert len(seen) == 2


def test_formulas_are_left_to_matplotlib() -> None:
    """Their size depends on more."""
    seen: list[str] = []
    measure = texts.measuring_once(lambda renderer, s, prop, ismath: seen.append(s) or (1.0, 2.0, 3.0))
    for ismath in (True, True, "TeX", "TeX"):
        measure(RendererAgg(10, 10, 100), "$w$", FontProperties(), ismath)
    assert len(seen) == 4


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A student may draw any number of texts."""
    monkeypatch.setattr(texts, "REMEMBERED", 3)
    seen: list[str] = []
    measure = texts.measuring_once(lambda renderer, s, prop, ismath: seen.append(s) or (1.0, 2.0, 3.0))
    for text in "abcda":
        measure(RendererAgg(10, 10, 100), text, FontProperties(), False)
    assert seen == list("abcda")


def test_a_matplotlib_with_other_ways_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a function that it takes is not there, nothing is changed."""
    monkeypatch.delattr(backend_agg, "get_hinting_flag")
    before = RendererAgg.get_text_width_height_descent
    texts.install()
    assert RendererAgg.get_text_width_height_descent is before
    assert not hasattr(RendererAgg, "_get_font_height_metrics")
