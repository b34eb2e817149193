"""At which sizes a picture is searched for faces.

A detector sees faces of a certain range in its input and nothing outside it. Measured on SCRFD
2.5G with the faces of lfw10 on a 640-px canvas: recall .28 at 10 px, .78 at 12, .92 at 14, .98 at
16, 1.0 from 18 to 200, .98 at 300 and **none** from 400 on. So one picture is looked at as

- a *whole* pass at its own size, at most 640 px: faces of 16 px and more of that input;
- a *small* pass at 128 px: faces that fill the picture (tight crops, selfies, round videos);
- *tiles*, only of pictures beyond 1280 px and only where there is detail: faces down to 25 px.

Enlarging a small picture to 640 px would cost four times as much and find nothing that is kept: a
face that it adds has fewer than 16 pixels. Pure rules; who runs the passes is `resources.vision`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

STRIDE: Final = 32
"""Coarsest feature map of the detectors: sides of an input are multiples of it."""
WHOLE_SIDE: Final = 640
SMALL_SIDE: Final = 128
SEEN_FROM: Final = 16
"""Side in pixels of an input from which a face is found as good as always (recall .98)."""
SMALLEST_FACE: Final = 25
"""Side in pixels of the picture for which tiles are scaled; below it nothing useful is kept."""
TILED_BEYOND: Final = 1280
"""Longer side from which the whole pass misses faces of 32 px and tiles are worth it."""
TILE_SIDE: Final = WHOLE_SIDE
# Pixels of a picture as its tiles are cut: 35 tiles for 20 to 100 megapixels, more for panoramas.
# Beyond 25 megapixels pictures are shrunk further, so their smallest face grows, the time does not.
_TILED_PIXELS: Final = 10.5e6
_LEAST_OVERLAP: Final = 48
DETAIL_BLOCK: Final = 16
# A face of 16 px has a block whose mean |Laplacian| is at least 23 (100 faces of lfw10, 5th
# percentile 25); sky, walls, blur and whatever was enlarged stay below 10.
_DETAIL: Final = 12.0
_HAIR: Final = 0.3  # of a face's longer side, around its box


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of the picture that tiles are cut from; whole pixels, x2 and y2 exclusive."""

    x1: int
    y1: int
    x2: int
    y2: int


@dataclass(frozen=True, slots=True)
class TilePlan:
    """How one picture is cut into tiles.

    Attributes:
        scale: From the picture to what the tiles are cut from, below 1.
        overlap: Pixels that neighbours share; a face up to this side lies whole in one of them.
        tiles: Row by row.
    """

    scale: float
    overlap: int
    tiles: tuple[Tile, ...]


def whole_sides(width: int, height: int) -> tuple[int, ...]:
    """Give the longer sides, in pixels, at which the whole picture is looked at."""
    side = min(WHOLE_SIDE, ceil(max(width, height) / STRIDE) * STRIDE)
    return (side, SMALL_SIDE) if side > SMALL_SIDE else (SMALL_SIDE,)


def tile_scale(width: int, height: int) -> float | None:
    """Give the scale of the picture's tiles; None for one that needs none."""
    if max(width, height) <= TILED_BEYOND:
        return None
    return min(SEEN_FROM / SMALLEST_FACE, sqrt(_TILED_PIXELS / (width * height)))


def useful_scale(width: int, height: int, *, tiled: bool = True) -> float:
    """Give the scale below which detection would see less; 1 for pictures that need all.

    Args:
        width: Pixels.
        height: Pixels.
        tiled: Whether tiles are looked at.
    """
    # Twice the input, so that shrinking averages and one pass sees the same either way.
    whole = min(1.0, 2 * WHOLE_SIDE / max(width, height))
    return max(whole, (tile_scale(width, height) or 0.0) if tiled else 0.0)


def plan_tiles(width: int, height: int) -> TilePlan | None:
    """Cut a picture into tiles; None for one that needs none.

    Args:
        width: Pixels of the whole picture.
        height: Pixels of the whole picture.
    """
    scale = tile_scale(width, height)
    if scale is None:
        return None
    # The smallest face that the whole pass finds must still lie whole in one tile.
    shared = SEEN_FROM * max(width, height) / WHOLE_SIDE * scale
    overlap = max(_LEAST_OVERLAP, ceil(shared))
    columns = _spans(max(1, round(width * scale)), overlap)
    rows = _spans(max(1, round(height * scale)), overlap)
    tiles = tuple(Tile(x1, y1, x2, y2) for y1, y2 in rows for x1, x2 in columns)
    return TilePlan(scale, overlap, tiles)


def without_known(detail: NDArray[np.float32], boxes: NDArray[np.floating]) -> NDArray[np.float32]:
    """Leave out the detail that faces found already explain: eyes, hair, a beard.

    Args:
        detail: See `detailed_part`.
        boxes: (n, 4), xyxy of the faces, in the pixels that `detail` measures.

    Returns:
        The same with 0 for each block that lies in a head whole.
    """
    left = detail.copy()
    for x1, y1, x2, y2 in boxes:
        hair = _HAIR * max(x2 - x1, y2 - y1)
        low_x, low_y = ceil((x1 - hair) / DETAIL_BLOCK), ceil((y1 - hair) / DETAIL_BLOCK)
        high_x, high_y = int((x2 + hair) // DETAIL_BLOCK), int((y2 + hair) // DETAIL_BLOCK)
        left[max(0, low_y) : max(0, high_y), max(0, low_x) : max(0, high_x)] = 0.0
    return left


def detailed_part(tile: Tile, detail: NDArray[np.float32]) -> Tile | None:
    """Shrink a tile to where a face could be.

    Args:
        tile: Of a picture.
        detail: (rows, columns) float32, mean |Laplacian| of the picture's grey levels (0–255) in
            each block of `DETAIL_BLOCK` pixels; what does not fill a block is left out.

    Returns:
        The part with all its detailed blocks and two blocks around; None without any.
    """
    top, left = tile.y1 // DETAIL_BLOCK, tile.x1 // DETAIL_BLOCK
    blocks = detail[top : ceil(tile.y2 / DETAIL_BLOCK), left : ceil(tile.x2 / DETAIL_BLOCK)]
    rows, columns = np.nonzero(blocks >= _DETAIL)
    if not rows.size:
        return None
    return Tile(
        max(tile.x1, (left + int(columns.min()) - 2) * DETAIL_BLOCK),
        max(tile.y1, (top + int(rows.min()) - 2) * DETAIL_BLOCK),
        min(tile.x2, (left + int(columns.max()) + 3) * DETAIL_BLOCK),
        min(tile.y2, (top + int(rows.max()) + 3) * DETAIL_BLOCK),
    )


def belongs_to_tile(
    boxes: NDArray[np.float32], tile: Tile, plan: TilePlan, width: int, height: int
) -> NDArray[np.bool_]:
    """Tell which detections a tile may answer for.

    Not for a face that its inner edge may have cut (the neighbour has it whole), nor for one
    larger than the overlap (the whole pass has it, and no tile need have it whole).

    Args:
        boxes: (n, 4) float32, xyxy in pixels of what the tiles are cut from.
        tile: Where they were found.
        plan: Its plan.
        width: Pixels of what the tiles are cut from.
        height: Pixels of what the tiles are cut from.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    fits = (high - low).max(axis=1, initial=0.0) <= plan.overlap
    inside_low = low > np.array([tile.x1, tile.y1]) + 1
    inside_high = high < np.array([tile.x2, tile.y2]) - 1
    at_border_low = np.array([tile.x1 == 0, tile.y1 == 0])
    at_border_high = np.array([tile.x2 >= width, tile.y2 >= height])
    whole = ((inside_low | at_border_low) & (inside_high | at_border_high)).all(axis=1)
    return np.asarray(fits & whole, dtype=np.bool_)


def _spans(length: int, overlap: int) -> list[tuple[int, int]]:
    """Cover a side with equal steps, each span at most a tile long."""
    if length <= TILE_SIDE:
        return [(0, length)]
    count = ceil((length - overlap) / max(1, TILE_SIDE - overlap))
    starts = [round(number * (length - TILE_SIDE) / (count - 1)) for number in range(count)]
    return [(start, start + TILE_SIDE) for start in starts]
