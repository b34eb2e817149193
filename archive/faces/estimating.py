"""Where the landmarks of a face probably lie, in a box in which no detector sees a face.

A guess, and it says so: its schema has a name of its own, so that nobody takes it for a
measurement. Vectors made with it are poorer than the face deserves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from archive.faces.records import EYE_CORNERS, FIVE_POINTS, Box, Landmarks

_ESTIMATED: Final = "_estimated"

# Means over the 100 portraits of lfw10 in shares of SCRFD's box, which is what a person draws too:
# from the forehead to the chin, from cheek to cheek. Made symmetrical; they spread by 0.03 to 0.05
# vertically and 0.08 to 0.14 sideways (heads turn). The corners are dlib's in the same box.
_PLACES: Final[Mapping[str, tuple[tuple[float, float], ...]]] = {
    FIVE_POINTS: ((0.28, 0.40), (0.72, 0.40), (0.50, 0.59), (0.32, 0.74), (0.68, 0.74)),
    EYE_CORNERS: ((0.78, 0.41), (0.62, 0.41), (0.22, 0.41), (0.38, 0.41), (0.50, 0.65)),
}


def estimated_landmarks(box: Box, schema: str) -> Landmarks:
    """Place landmarks where they are in most faces: upright, looking into the camera.

    Args:
        box: Around the face, in pixels.
        schema: `FIVE_POINTS` or `EYE_CORNERS`.

    Returns:
        (5, 2) float32, pixels of the same picture.

    Raises:
        ValueError: The schema is unknown.
    """
    if schema not in _PLACES:
        raise ValueError(f"unknown landmark schema {schema!r}")
    shares = np.array(_PLACES[schema], dtype=np.float64)
    return np.asarray(shares * (box.width, box.height) + (box.x1, box.y1), dtype=np.float32)


def estimated_schema(schema: str) -> str:
    """Name the schema of landmarks that were estimated rather than seen."""
    return schema + _ESTIMATED


def is_estimated(schema: str) -> bool:
    """Tell whether landmarks of a schema were estimated."""
    return schema.endswith(_ESTIMATED)
