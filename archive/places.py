"""Names for the places where pictures were taken, by a gazetteer on this machine.

The use case and its ports. Positions leave the machine never: no service is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.ids import ContentKey


@dataclass(frozen=True, slots=True)
class Place:
    """The nearest place that has a name.

    Attributes:
        name: Of the town; ``None`` far from any.
        region: Its state or province, where known.
        country_code: ISO 3166-1, two letters; ``None`` out at sea.
    """

    name: str | None = None
    region: str | None = None
    country_code: str | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """A content with the position its camera wrote down, in degrees."""

    content_key: ContentKey
    latitude: float
    longitude: float


class Gazetteer(Protocol):
    """Knows places by position."""

    @property
    def version(self) -> str:
        """Names its data: another version names all places anew."""
        ...

    def nearest(self, positions: Sequence[tuple[float, float]]) -> list[Place]:
        """Name positions (latitude, longitude in degrees), in their order."""
        ...


class PlaceStore(Protocol):
    """Where positions and names are."""

    def unnamed(self, version: str) -> list[Located]:
        """List contents with a position that this version has not named."""
        ...

    def name(self, version: str, named: Sequence[tuple[Located, Place]]) -> None:
        """Keep names, of positions that are still the same."""
        ...


def name_places(store: PlaceStore, gazetteer: Gazetteer) -> int:
    """Name what has a position and no name by this gazetteer yet.

    Returns:
        How many were named, or found to be far from everything.
    """
    located = store.unnamed(gazetteer.version)
    if located:
        places = gazetteer.nearest([(each.latitude, each.longitude) for each in located])
        store.name(gazetteer.version, list(zip(located, places, strict=True)))
    return len(located)
