"""What every picture begins and ends with: a figure, fonts that can draw names, and a file.

What is drawn is the other modules' business.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI: Final = 90
_COLOURS: Final = 64
# Wide alphabets as systems bring them; DejaVu comes with matplotlib and is always there.
_FAMILIES: Final = (
    "DejaVu Sans",
    *("Noto Sans CJK JP", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "Droid Sans Fallback"),
    *("Hiragino Sans", "PingFang SC", "Yu Gothic", "Malgun Gothic", "Arial Unicode MS"),
)


def new_figure(width: float, height: float) -> Figure:
    """Make a figure that no global state knows.

    Args:
        width: In inches.
        height: In inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def as_png(figure: Figure, *, colours: int = _COLOURS) -> bytes:
    """Draw a figure as PNG, in as few colours as lines and letters need.

    Args:
        figure: Drawn once; afterwards it is of no use.
        colours: Fewer are fewer bytes, for the event log: 24 cost a third of all.
    """
    from PIL import Image

    file, small = io.BytesIO(), io.BytesIO()
    figure.savefig(file, format="png")
    Image.open(file).convert("RGB").quantize(colours).save(small, "PNG", optimize=True)
    return small.getvalue()


def as_svg(figure: Figure) -> bytes:
    """Draw a figure as SVG, its letters as shapes: the same on every machine that shows it."""
    import matplotlib as mpl

    file = io.BytesIO()
    # Ids come from this text instead of from chance; of the program's state, only a file of
    # another thread in this very moment would see it, and be none the worse.
    with mpl.rc_context({"svg.hashsalt": "face-archive"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def families() -> list[str]:
    """Give the font families to draw a name with; those that this machine has."""
    return list(_installed())


def drawable(text: str, instead: str) -> str:
    """Leave out the letters that no font here can draw: emoji, or a script that is not installed.

    Args:
        text: A name, as people chose it.
        instead: What is shown where nothing is left.
    """
    known = _letters()
    drawn = "".join(letter for letter in text if ord(letter) in known)
    return " ".join(drawn.split()) or instead


@cache
def _installed() -> tuple[str, ...]:
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return tuple(family for family in _FAMILIES if family in there)


@cache
def _letters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset().union(*(get_font(findfont(name)).get_charmap() for name in _installed()))
