"""Texts in pictures are measured once: matplotlib measures the same few labels anew for each picture.

`proctor.kernels.rehearsal` calls `install` in the warm process; what a first picture has there, no kernel measures.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

REMEMBERED = 4096  # texts, as many as matplotlib remembers for one picture
SETTINGS = ("text.kerning_factor", "font.enable_last_resort")  # beside the font, its size and its hinting


def install() -> None:
    """Have matplotlib measure this way, if it is one whose ways are known here."""
    from matplotlib.backends import backend_agg
    from matplotlib.font_manager import fontManager

    renderer: Any = backend_agg.RendererAgg
    if hasattr(fontManager, "_find_fonts_by_props") and hasattr(backend_agg, "get_hinting_flag"):
        renderer.get_text_width_height_descent = measuring_once(renderer.get_text_width_height_descent)
        renderer._get_font_height_metrics = heights_of_letters


def measuring_once(measure: Callable[..., Any]) -> Callable[..., Any]:
    """What ``RendererAgg.get_text_width_height_descent`` does; formulas and TeX are left to it."""
    from matplotlib import rcParams
    from matplotlib.backends import backend_agg

    settings: Any = rcParams
    hinting: Callable[[], Any] = backend_agg.get_hinting_flag
    measured: dict[Any, Any] = {}

    @wraps(measure)
    def measure_once(renderer: Any, s: str, prop: Any, ismath: Any) -> Any:
        if ismath:
            return measure(renderer, s, prop, ismath)
        how = hinting(), *(settings.get(name) for name in SETTINGS)
        key = s, _files_of(prop), prop.get_size_in_points(), renderer.dpi, how
        if key not in measured:
            if len(measured) >= REMEMBERED:
                measured.clear()
            measured[key] = measure(renderer, s, prop, ismath)
        return measured[key]

    return measure_once


def heights_of_letters(renderer: Any, prop: Any) -> tuple[float | None, float | None, float | None]:
    """How far letters reach above and below the line, and the gap between lines, in pixels; None if the font is silent.

    matplotlib asks a renderer for these, and reads them in the font's tables for each text if it has no answer.
    """
    heights = _heights_in(_files_of(prop))
    if heights is None:
        return None, None, None
    scale = prop.get_size_in_points() * renderer.dpi / 72
    above, below, gap = (height * scale for height in heights)
    return above, below, gap


def _files_of(prop: Any) -> tuple[Any, ...]:
    """The font that `prop` stands for as matplotlib is set now, and those that stand in for what it lacks."""
    from matplotlib.font_manager import fontManager

    return tuple(fontManager._find_fonts_by_props(prop))


@lru_cache(maxsize=64)
def _heights_in(files: tuple[Any, ...]) -> tuple[float, float, float] | None:
    """Above, below and gap of letters of size 1, from the tables that ``matplotlib.text.Text`` reads."""
    from matplotlib.font_manager import get_font

    font: Any = get_font(files)
    units = font.get_sfnt_table("head")["unitsPerEm"]
    for name, above, below, gap in (
        ("OS/2", "sTypoAscender", "sTypoDescender", "sTypoLineGap"),
        ("hhea", "ascent", "descent", "lineGap"),
    ):
        table = font.get_sfnt_table(name)
        if table is not None:
            return table[above] / units, -table[below] / units, table[gap] / units
    return None
