"""Engines that misbehave, for the pool's tests; importable, so that workers can unpickle them."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive.errors import Permanent
from archive.faces.engine import FaceEngine
from archive.faces.records import FIVE_POINTS, DetectedFace, ModelRecord, ModelThresholds, Pixels

MODEL = ModelRecord(
    name="scripted",
    kind="dlib",
    licence="none",
    commercial_use=True,
    dims=4,
    detector="none",
    recogniser="none",
    landmark_schema=FIVE_POINTS,
    thresholds=ModelThresholds(0.4, 0.05, 0.5, 0.1, 0.4, 20, 48),
    sha256="0" * 64,
    detector_version="scripted/1",
    embedding_version="scripted/1",
)


@dataclass
class ScriptedEngine:
    """Sees no faces; what else it does to a picture depends on the picture's width."""

    holds_gil: bool
    model: ModelRecord = MODEL
    _hoard: list[Any] = field(default_factory=list)

    def detect(self, image: Pixels, *, closely: bool = True) -> list[DetectedFace]:
        if image.shape[1] == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        if image.shape[1] == 14:
            time.sleep(60)
        if image.shape[1] == 15:
            self._hoard.append(np.ones(1 << 30, dtype=np.uint8))
        return []

    def useful_scale(self, width: int, height: int) -> float:
        return 1.0

    def embed(self, image: Pixels, faces: Sequence[DetectedFace]) -> NDArray[np.float32]:
        return np.full((len(faces), self.model.dims), 0.5, dtype=np.float32)


@dataclass(frozen=True)
class ScriptedRecipe:
    holds_gil: bool = True

    def build(self) -> FaceEngine:
        return ScriptedEngine(self.holds_gil)


@dataclass(frozen=True)
class BrokenRecipe:
    holds_gil: bool = True

    def build(self) -> FaceEngine:
        raise Permanent("no such model in /nowhere")
