"""Faces by an InsightFace pack: SCRFD or RetinaFace finds them, an ArcFace-like model embeds them.

insightface loads the weights and decodes the network's output; we feed it. Three things differ
from calling `FaceAnalysis.get` in a loop: one session a worker thread with a single thread inside
(two half-used sessions beat one that waits for itself), an input no larger than the picture
needs, and one recognition batch for all faces of an image.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archive.errors import Permanent
from archive.faces.geometry import alignment_transform
from archive.faces.records import FIVE_POINTS, DetectedFace, ModelRecord, Pixels, Provider
from archive.faces.scales import useful_scale
from archive.provenance import made_by
from resources.vision.known_models import KnownModel
from resources.vision.packs import Pack, open_pack
from resources.vision.providers import AUTO, choose_provider, open_session
from resources.vision.pyramid import Detections, Pyramid

DETECTION_THRESHOLD: Final = 0.5  # insightface's default
# Part of the producer: change it when detection changes.
_POLICY: Final = "own640+128+tiles25/2"
_POLICY_UNTILED: Final = "own640+128/2"


class InsightFaceEngine:
    """A pack, loaded for one worker. Satisfies `archive.faces.engine.FaceEngine`."""

    holds_gil: Final = False

    def __init__(
        self, model: ModelRecord, detector: Any, recogniser: Any, *, tiled: bool = True
    ) -> None:
        """Take loaded models; use `load`."""
        self.model: Final = model
        self._detector = detector
        self._recogniser = recogniser
        self._tiled = tiled
        self._pyramid = Pyramid(self._look, detector.static_input_size, tiled=tiled)

    @classmethod
    def load(
        cls,
        known: KnownModel,
        models_dir: Path | None,
        providers: Sequence[str] = (AUTO,),
        *,
        tiled: bool = True,
    ) -> InsightFaceEngine:
        """Open a pack and load its two models.

        Args:
            known: What the registry says about it; its licence was accepted.
            models_dir: Root with a folder `models`; None means insightface's own.
            providers: What may run it, best first; see `choose_provider`.
            tiled: Whether to look for small faces in large pictures.

        Raises:
            Permanent: The pack is missing, incomplete or cannot be loaded.
        """
        return cls.of_pack(known, open_pack(known, models_dir), providers, tiled=tiled)

    @classmethod
    def of_pack(
        cls,
        known: KnownModel,
        pack: Pack,
        providers: Sequence[str] = (AUTO,),
        *,
        tiled: bool = True,
    ) -> InsightFaceEngine:
        """Load the two models of a pack wherever it lies; arguments as of `load`.

        Raises:
            Permanent: It cannot be loaded.
        """
        from insightface.model_zoo.arcface_onnx import ArcFaceONNX
        from insightface.model_zoo.scrfd import SCRFD

        provider = choose_provider(providers)
        try:
            detector = SCRFD(
                str(pack.detector),
                open_session(pack.detector, provider),
                # By default every input shape gets a session of its own; ours vary by picture.
                static_shape_sessions=False,
            )
            recogniser = ArcFaceONNX(
                str(pack.recogniser), open_session(pack.recogniser, provider, vectors=True)
            )
        except Permanent:
            raise
        except Exception as exc:  # the runtimes raise their own bare classes
            raise Permanent(f"{pack.folder} cannot be loaded on {provider}: {exc}") from exc
        if not detector.use_kps:
            raise Permanent(f"{pack.detector} predicts no landmarks: faces cannot be aligned")
        record = _record(known, pack, provider, _POLICY if tiled else _POLICY_UNTILED)
        return cls(record, detector, recogniser, tiled=tiled)

    def detect(self, image: Pixels, *, closely: bool = True) -> list[DetectedFace]:
        """Find all faces at all sizes, strongest first, each once; see `Pyramid`."""
        return self._pyramid.detect(image, closely=closely)

    def useful_scale(self, width: int, height: int) -> float:
        """Give the scale below which detection would see less."""
        return useful_scale(width, height, tiled=self._tiled)

    def embed(self, image: Pixels, faces: Sequence[DetectedFace]) -> NDArray[np.float32]:
        """Embed faces of one image in one batch: (n, dims) float32, unit norm."""
        if not faces:
            return np.empty((0, self.model.dims), dtype=np.float32)
        side = int(self._recogniser.input_size[0])
        aligned = [_aligned_bgr(image, face, side) for face in faces]
        fixed = self._recogniser.input_shape[0]
        batch = fixed if isinstance(fixed, int) and fixed > 0 else len(aligned)
        vectors = np.concatenate(
            [self._recogniser.get_feat(aligned[i : i + batch]) for i in range(0, len(faces), batch)]
        ).astype(np.float32, copy=False)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = np.asarray(vectors / np.maximum(norms, np.finfo(np.float32).tiny), np.float32)
        return made_by(self.model.name, unit)

    def _look(self, canvas: Pixels) -> Detections:
        scores, boxes, points = self._detector.forward(canvas, DETECTION_THRESHOLD)
        return Detections(
            np.concatenate(scores).astype(np.float32).ravel(),
            np.concatenate(boxes).astype(np.float32),
            np.concatenate(points).astype(np.float32),
        )


def _aligned_bgr(image: Pixels, face: DetectedFace, side: int) -> Pixels:
    """Warp a face to the recogniser's square input, (side, side, 3) BGR."""
    import cv2

    matrix = alignment_transform(face.landmarks, side)
    warped = cv2.warpAffine(image, matrix, (side, side), borderValue=0.0)
    return np.asarray(cv2.cvtColor(warped, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _record(known: KnownModel, pack: Pack, provider: Provider, policy: str) -> ModelRecord:
    both = hashlib.sha256((pack.detector_sha256 + pack.recogniser_sha256).encode()).hexdigest()
    return ModelRecord(
        name=known.name,
        kind="insightface",
        licence=known.licence,
        commercial_use=known.commercial_use,
        dims=pack.dims,
        detector=pack.detector.name,
        recogniser=pack.recogniser.name,
        landmark_schema=FIVE_POINTS,
        thresholds=known.thresholds,
        sha256=both,
        detector_version=f"{known.name}/{pack.detector_sha256[:12]}/{policy}",
        embedding_version=f"{known.name}/{pack.recogniser_sha256[:12]}/arcface112/1",
        provider=provider,
    )
