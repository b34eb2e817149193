"""The port behind which faces are found and embedded.

Only the protocol. Its implementations wrap a runtime and live in `resources.vision`; all of them
pass `tests/contract/test_face_engines.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archive.faces.records import DetectedFace, ModelRecord, Pixels


class FaceEngine(Protocol):
    """One model, loaded. Not safe for two threads at once: each worker has its own."""

    @property
    def model(self) -> ModelRecord:
        """What is loaded, with its licence and thresholds."""
        ...

    @property
    def holds_gil(self) -> bool:
        """Whether threads gain nothing because the runtime keeps Python's lock while it works."""
        ...

    def detect(self, image: Pixels, *, closely: bool = True) -> list[DetectedFace]:
        """Find all faces, strongest first, each once.

        Args:
            image: (h, w, 3) uint8 RGB, upright.
            closely: Whether faces that are tiny beside a large picture are worth their time: they
                are in a photo of a group, not in every frame of a film.

        Returns:
            Faces with landmarks in the schema of the model; empty when there are none.
        """
        ...

    def useful_scale(self, width: int, height: int) -> float:
        """Give the scale, above 0 and at most 1, below which `detect` would see less.

        So that a picture much larger than the detector's input need not be decoded whole.

        Args:
            width: Pixels of the whole picture.
            height: Pixels of the whole picture.
        """
        ...

    def embed(self, image: Pixels, faces: Sequence[DetectedFace]) -> NDArray[np.float32]:
        """Turn faces of one image into vectors, in one batch.

        Args:
            image: The image in which `detect` found them.
            faces: Any of them.

        Returns:
            (n, dims) float32, each row with L2 norm 1, in the order of `faces`.
        """
        ...
