"""What a picture of people shows, asked of the warehouse.

A kind is its SQL file, the records that come of it and the drawing in `resources.plots.people`.
Where names are not wanted, people are shown by the beginning of their random id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from resources.plots.figures import drawable
from resources.plots.people import Dot, Line, Pair, calendar, over_time, together

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resources.warehouse.reading import Warehouse

_Rows = list[tuple[Any, ...]]

_SPANS: Final = {"day": 1, "week": 7, "month": 31}
_YEARS: Final = 6


class Plot(StrEnum):
    """Pictures of people."""

    PEOPLE = "people"
    TOGETHER = "together"
    CALENDAR = "calendar"

    @property
    def takes(self) -> tuple[str, ...]:
        """What it can be narrowed by: fields of `Wanted`."""
        return _KINDS[self].takes


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a picture is narrowed to.

    Attributes:
        limit: Most people over time, or most pairs.
        person: Id of the only person that counts; not for people over time.
        since: First day (UTC) that counts.
        names: Whether people are called by their names, or by the beginning of their ids.
    """

    limit: int | None = None
    person: str | None = None
    since: date | None = None
    names: bool = True


def draw(kind: Plot, warehouse: Warehouse, wanted: Wanted) -> Figure:
    """Draw a picture of what the warehouse holds; with nothing to show it is empty.

    Raises:
        Permanent: There is no warehouse.
        Transient: The warehouse is being built.
    """
    asked = _KINDS[kind]
    given: Mapping[str, object] = {
        "limit": wanted.limit or asked.limit,
        "person": wanted.person,
        "since": wanted.since,
    }
    sql = files("resources.plots").joinpath(asked.file).read_text(encoding="utf-8")
    with warehouse.ask(sql, {name: given[name] for name in asked.takes}) as answer:
        rows = list(answer.rows)
    return asked.drawing(rows, wanted)


def _over_time(rows: _Rows, wanted: Wanted) -> Figure:
    counts: dict[str | None, dict[date, int]] = {}
    titles: dict[str | None, str | None] = {None: None}
    step = "day"
    for step, identity_id, label, starts, contents in rows:  # noqa: B007 - the same in every row
        counts.setdefault(identity_id, {})[starts] = contents
        titles[identity_id] = _called(identity_id, label, wanted) if identity_id else None
    lines = [Line(titles[each], of_each) for each, of_each in counts.items()]
    return over_time(lines, _SPANS[step], f"People over time, by {step}")


def _together(rows: _Rows, wanted: Wanted) -> Figure:
    pairs, people = [], {}
    for a, label_a, contents_a, b, label_b, contents_b, count in rows:
        pairs.append(Pair(a, b, count))
        people[a] = Dot(_called(a, label_a, wanted), contents_a)
        people[b] = Dot(_called(b, label_b, wanted), contents_b)
    return together(pairs, people, "Who is seen with whom")


def _calendar(rows: _Rows, wanted: Wanted) -> Figure:
    days: dict[date, int] = dict(rows)
    latest = max(days, default=date.min).year
    shown = {day: count for day, count in days.items() if day.year > latest - _YEARS}
    return calendar(shown, "Photos and videos that show people, by day")


def _called(identity_id: str, label: str, wanted: Wanted) -> str:
    short = f"Person {identity_id[:8]}"
    return drawable(label, short) if wanted.names else short


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind is asked for and drawn."""

    file: str
    takes: tuple[str, ...]
    limit: int | None
    drawing: Callable[[_Rows, Wanted], Figure]


_KINDS: Final = {
    Plot.PEOPLE: _Kind("over_time.sql", ("limit", "since"), 8, _over_time),
    Plot.TOGETHER: _Kind("together.sql", ("limit", "person"), 60, _together),
    Plot.CALENDAR: _Kind("calendar.sql", ("person", "since"), None, _calendar),
}
