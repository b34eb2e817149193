"""Running a detector over a picture at all sizes of faces.

Which passes a picture gets is `archive.faces.scales`' rule; here pixels are cut, padded and given
to the network, and what the passes find is brought together in pixels of the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.faces.geometry import suppress_doubles
from archive.faces.records import Box, DetectedFace, Pixels
from archive.faces.scales import (
    DETAIL_BLOCK,
    STRIDE,
    Tile,
    TilePlan,
    belongs_to_tile,
    detailed_part,
    plan_tiles,
    whole_sides,
    without_known,
)
from resources.vision.scaling import detail_map, scale_by, scale_quickly

SAME_FACE_IOU: Final = 0.4  # insightface's default for non-maximum suppression

Network = Callable[[Pixels], "Detections"]
"""Runs the network on (h, w, 3) uint8 BGR; answers in pixels of that input."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What one pass found.

    Attributes:
        scores: (n,) float32, 0–1.
        boxes: (n, 4) float32, xyxy.
        landmarks: (n, 5, 2) float32.
    """

    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def moved(self, x: float, y: float, factor: float) -> Detections:
        """Shift by (x, y), then multiply coordinates by `factor`."""
        boxes = (self.boxes + np.array([x, y, x, y])) * factor
        landmarks = (self.landmarks + np.array([x, y])) * factor
        return Detections(self.scores, boxes.astype(np.float32), landmarks.astype(np.float32))

    def only(self, wanted: NDArray[np.bool_]) -> Detections:
        """Give those that are wanted, (n,) bool."""
        return Detections(self.scores[wanted], self.boxes[wanted], self.landmarks[wanted])


class Pyramid:
    """A detector for faces of all sizes, made of one for faces of some."""

    def __init__(
        self, network: Network, fixed_size: tuple[int, int] | None, *, tiled: bool = True
    ) -> None:
        """Take a network.

        Args:
            network: What looks at one input.
            fixed_size: Width and height of the only input that it takes; None if it takes any
                multiple of 32.
            tiled: Whether to look for small faces in large pictures.
        """
        self._network = network
        self._fixed_size = fixed_size
        self._tiled = tiled

    def detect(self, image: Pixels, *, closely: bool = True) -> list[DetectedFace]:
        """Find all faces at all sizes, strongest first, each once.

        Args:
            image: (h, w, 3) uint8 RGB, upright.
            closely: Whether to look at tiles too, where the picture is large.
        """
        passes = list(self._passes(image, closely=closely and self._tiled))
        scores = np.concatenate([each.scores for each in passes])
        boxes = np.concatenate([each.boxes for each in passes])
        landmarks = np.concatenate([each.landmarks for each in passes])
        return [
            DetectedFace(Box(*map(float, boxes[i])), landmarks[i], float(scores[i]))
            for i in suppress_doubles(boxes, scores, SAME_FACE_IOU)
        ]

    def _passes(self, image: Pixels, *, closely: bool) -> Iterator[Detections]:
        height, width = image.shape[:2]
        known = []
        for side in whole_sides(width, height):
            known.append(self._whole(image, self._at_most(side) / max(width, height)))
        yield from known
        plan = plan_tiles(width, height) if closely else None
        if plan is not None:
            boxes = np.concatenate([each.boxes for each in known])
            yield from self._tiles(scale_quickly(image, plan.scale), plan, boxes * plan.scale)

    def _whole(self, image: Pixels, factor: float) -> Detections:
        import cv2

        height, width = image.shape[:2]
        size = max(1, round(width * factor)), max(1, round(height * factor))
        # Linear also where it shrinks: the detectors were trained and their thresholds published
        # on inputs made like this.
        resized = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        found = self._network(self._padded(np.asarray(resized, dtype=np.uint8)))
        return found.moved(0, 0, 1 / factor)

    def _tiles(
        self, picture: Pixels, plan: TilePlan, known: NDArray[np.floating]
    ) -> Iterator[Detections]:
        height, width = picture.shape[:2]
        detail = without_known(detail_map(picture, DETAIL_BLOCK), known)
        for tile in plan.tiles:
            part = detailed_part(tile, detail)
            if part is not None:
                found = self._part(picture, part)
                mine = belongs_to_tile(found.boxes, tile, plan, width, height)
                yield found.only(mine).moved(0, 0, 1 / plan.scale)

    def _part(self, picture: Pixels, part: Tile) -> Detections:
        pixels = picture[part.y1 : part.y2, part.x1 : part.x2]
        factor = self._at_most(max(pixels.shape[:2])) / max(pixels.shape[:2])
        if factor < 1:  # a network of one small size only
            pixels = scale_by(pixels, factor)
        return (
            self._network(self._padded(pixels)).moved(0, 0, 1 / factor).moved(part.x1, part.y1, 1)
        )

    def _at_most(self, side: int) -> int:
        return side if self._fixed_size is None else min(side, *self._fixed_size)

    def _padded(self, pixels: Pixels) -> Pixels:
        """Put RGB pixels into a black BGR input.

        insightface pads to a square; black bars hold no faces, so a network that takes any shape
        gets only what fills its stride: a quarter less work for a 4:3 photo.
        """
        import cv2

        height, width = pixels.shape[:2]
        columns, rows = self._fixed_size or (_up_to_stride(width), _up_to_stride(height))
        canvas = np.zeros((rows, columns, 3), dtype=np.uint8)
        cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR, dst=canvas[:height, :width])
        return canvas


def _up_to_stride(side: int) -> int:
    return -(-side // STRIDE) * STRIDE
