"""Three pictures of people: over time, who with whom, and the days of a calendar.

Drawing only; what is drawn comes out of the warehouse in `resources.plots.asking`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from resources.plots.figures import families, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

# Told apart by people who see no red or no green: P. Tol, "Colour Schemes", vibrant and muted.
_COLOURS: Final = (
    *("#0077bb", "#ee7733", "#009988", "#cc3311", "#33bbee", "#ee3377"),
    *("#332288", "#ddcc77", "#117733", "#882255", "#44aa99", "#999933"),
)
_REST: Final = "#bbbbbb"
_SEED: Final = 1
_WEEK: Final = 7
_WEEKS: Final = 54


@dataclass(frozen=True, slots=True)
class Line:
    """A person over time; `title` is None for everybody else together.

    Attributes:
        counts: Photos and videos by the first day of each span of time.
    """

    title: str | None
    counts: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people who were seen together, by their ids."""

    one: str
    other: str
    together: int


@dataclass(frozen=True, slots=True)
class Dot:
    """A person among others: what they are called, and how many photos and videos show them."""

    title: str
    contents: int


def over_time(lines: Sequence[Line], span_days: int, title: str) -> Figure:
    """Draw how often people were seen, one bar a span of time, stacked.

    Args:
        lines: The most seen first.
        span_days: Width of a bar.
        title: Above the picture.
    """
    figure = new_figure(9.0, 3.6)
    axes = _titled(figure, title)
    days = sorted({day for line in lines for day in line.counts})
    below = np.zeros(len(days))
    for number, line in enumerate(lines):
        heights = np.array([line.counts.get(day, 0) for day in days], dtype=float)
        axes.bar(
            np.array(days, dtype="datetime64[D]"),
            heights,
            width=np.timedelta64(span_days, "D"),
            bottom=below,
            align="edge",
            color=_REST if line.title is None else _COLOURS[number % len(_COLOURS)],
            # Matplotlib hides what begins with an underscore.
            label=f"\u2009{line.title}" if line.title else "everybody else",
        )
        below += heights
    axes.set_ylabel("photos and videos")
    axes.margins(x=0.01)
    if days:
        _date_axis(axes)
        _name_colours(axes)
    return figure


def together(pairs: Sequence[Pair], people: Mapping[str, Dot], title: str) -> Figure:
    """Draw who is seen with whom: a line a pair, thicker the oftener; a dot a person.

    Args:
        pairs: The most often seen together first.
        people: Everybody in them, by id.
        title: Above the picture.
    """
    from matplotlib.collections import LineCollection

    figure = new_figure(7.0, 6.0)
    axes = _titled(figure, title)
    axes.set_axis_off()
    axes.margins(0.15)
    places = _places(pairs)
    most = max((pair.together for pair in pairs), default=1)
    axes.add_collection(
        LineCollection(
            [(places[pair.one], places[pair.other]) for pair in pairs],
            linewidths=[0.5 + 5.5 * pair.together / most for pair in pairs],
            colors=_COLOURS[4],
            alpha=0.6,
            zorder=1,
        )
    )
    largest = max((dot.contents for dot in people.values()), default=1)
    for identity_id, place in places.items():
        dot = people[identity_id]
        _draw_dot(axes, place, dot.title, 40 + 360 * dot.contents / largest)
    return figure


def calendar(days: Mapping[date, int], title: str) -> Figure:
    """Draw a heat map: a row of weeks a year, a square a day.

    Args:
        days: What is counted, by day; of days without there need be none.
        title: Above the picture.
    """
    from matplotlib.ticker import MaxNLocator

    years = sorted({day.year for day in days})
    figure = new_figure(9.0, 0.7 + 1.35 * len(years))
    figure.suptitle(title, fontproperties=_font(10), parse_math=False)
    if not years:
        return figure
    rows = figure.subplots(len(years), 1, squeeze=False)[:, 0]
    most = max(days.values(), default=1)
    years_drawn = [
        _draw_year(axes, days, year, most) for axes, year in zip(rows, years, strict=True)
    ]
    whole = MaxNLocator(nbins=4, integer=True)
    bar = figure.colorbar(years_drawn[0], ax=list(rows), shrink=0.8, pad=0.01, ticks=whole)
    bar.ax.tick_params(labelsize=6)
    return figure


def _draw_year(axes: Axes, days: Mapping[date, int], year: int, most: int) -> QuadMesh:
    squares = axes.pcolormesh(
        _weeks(days, year), cmap="YlGnBu", vmin=0, vmax=most, edgecolors="white", linewidth=0.6
    )
    axes.invert_yaxis()
    axes.set_aspect("equal")
    axes.set_yticks([0.5, 2.5, 4.5], ["Mon", "Wed", "Fri"], fontsize=6)
    axes.set_xticks(*_months(year), fontsize=6)
    axes.set_ylabel(str(year), fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return squares


def _draw_dot(axes: Axes, place: tuple[float, float], title: str, size: float) -> None:
    """Draw a person.

    Args:
        axes: Where.
        place: Of its middle.
        title: Above it.
        size: Its area in square points.
    """
    axes.scatter(*place, s=size, color=_COLOURS[0], zorder=2)
    axes.annotate(
        title,
        place,
        textcoords="offset points",
        xytext=(0, 4 + size**0.5 / 2),
        ha="center",
        fontproperties=_font(8),
        parse_math=False,
    )


def _titled(figure: Figure, title: str) -> Axes:
    axes: Axes = figure.subplots()
    axes.set_title(title, fontproperties=_font(10), parse_math=False)
    return axes


def _font(size: float) -> FontProperties:
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=families(), size=size)


def _name_colours(axes: Axes) -> None:
    legend = axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), prop=_font(7))
    for text in legend.get_texts():
        # A name with two dollar signs in it is no formula.
        text.set_parse_math(False)


def _date_axis(axes: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)


def _places(pairs: Sequence[Pair]) -> dict[str, tuple[float, float]]:
    """Place people near those with whom they are seen; the same way every time."""
    import networkx as nx  # type: ignore[import-untyped]

    graph = nx.Graph()
    for pair in pairs:
        graph.add_edge(pair.one, pair.other, weight=float(np.log1p(pair.together)))
    placed = nx.spring_layout(graph, seed=_SEED, k=1.5 / max(1, len(graph)) ** 0.5)
    return {name: (float(x), float(y)) for name, (x, y) in placed.items()}


def _weeks(days: Mapping[date, int], year: int) -> NDArray[np.float64]:
    """Give a year as an array of (7 weekdays, weeks), NaN outside the year."""
    weeks = np.full((_WEEK, _WEEKS), np.nan)
    first = date(year, 1, 1)
    for number in range((date(year + 1, 1, 1) - first).days):
        day = first + timedelta(days=number)
        weeks[day.weekday(), _week(day)] = days.get(day, 0)
    return weeks


def _week(day: date) -> int:
    """Number the weeks of a year from 0, each from Monday."""
    first = date(day.year, 1, 1)
    monday = first - timedelta(days=first.weekday())
    return (day - monday).days // _WEEK


def _months(year: int) -> tuple[list[float], list[str]]:
    firsts = [date(year, month, 1) for month in range(1, 13)]
    return [_week(day) + 0.5 for day in firsts], [f"{day:%b}" for day in firsts]
