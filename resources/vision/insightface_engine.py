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
from archive.faces.geometry import alignment_transform, suppress_doubles
from archive.faces.records import FIVE_POINTS, Box, DetectedFace, ModelRecord, Pixels
from resources.vision.models import KnownModel
from resources.vision.packs import Pack, open_pack

CPU: Final = ("CPUExecutionProvider",)

# Two passes find the whole range of face sizes: at 640 px SCRFD finds none of 40 faces that fill
# a small picture (tight crops, selfies, round videos), at 128 px all 40 (FIELD_NOTES, measured).
# The second pass costs 1.6 ms beside 37 ms.
DETECTION_SIZES: Final = (640, 128)
DETECTION_THRESHOLD: Final = 0.5  # insightface's default
SAME_FACE_IOU: Final = 0.4  # insightface's default for non-maximum suppression
_STRIDE: Final = 32  # SCRFD's coarsest feature map: sides must be multiples of it
_POLICY: Final = "640+128/1"  # part of the producer: change it when detection changes


class InsightFaceEngine:
    """A pack, loaded for one worker. Satisfies `archive.faces.engine.FaceEngine`."""

    holds_gil: Final = False

    def __init__(self, model: ModelRecord, detector: Any, recogniser: Any) -> None:
        """Take loaded models; use `load`."""
        self.model: Final = model
        self._detector = detector
        self._recogniser = recogniser

    @classmethod
    def load(
        cls, known: KnownModel, models_dir: Path | None, providers: Sequence[str] = CPU
    ) -> InsightFaceEngine:
        """Open a pack and load its two models.

        Args:
            known: What the registry says about it; its licence was accepted.
            models_dir: Root with a folder `models`; None means insightface's own.
            providers: ONNX Runtime execution providers, best first.

        Raises:
            Permanent: The pack is missing, incomplete or cannot be loaded.
        """
        from insightface.model_zoo import get_model

        pack = open_pack(known, models_dir)
        options: dict[str, Any] = {
            "providers": list(providers),
            "sess_options": _one_thread(),
            # By default every input shape gets a session of its own; ours vary by picture.
            "static_shape_sessions": False,
        }
        try:
            detector = get_model(str(pack.detector), **options)
            recogniser = get_model(str(pack.recogniser), **options)
        except Exception as exc:  # ONNX Runtime raises its own bare classes
            raise Permanent(f"{pack.folder} cannot be loaded: {exc}") from exc
        if not getattr(detector, "use_kps", False):
            raise Permanent(f"{pack.detector} predicts no landmarks: faces cannot be aligned")
        return cls(_record(known, pack), detector, recogniser)

    def detect(self, image: Pixels) -> list[DetectedFace]:
        """Find all faces at all sizes, strongest first, each once."""
        passes = [self._detect_at(image, size) for size in self._sizes()]
        scores = np.concatenate([scores for scores, _, _ in passes])
        boxes = np.concatenate([boxes for _, boxes, _ in passes])
        landmarks = np.concatenate([points for _, _, points in passes])
        return [
            DetectedFace(Box(*map(float, boxes[i])), landmarks[i], float(scores[i]))
            for i in suppress_doubles(boxes, scores, SAME_FACE_IOU)
        ]

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
        return np.asarray(vectors / np.maximum(norms, np.finfo(np.float32).tiny), np.float32)

    def _sizes(self) -> tuple[int, ...]:
        """Give the input sizes; a detector exported for one size has only that one."""
        fixed = self._detector.static_input_size
        return DETECTION_SIZES if fixed is None else (int(max(fixed)),)

    def _detect_at(
        self, image: Pixels, size: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Run the detector at one scale.

        Returns:
            Scores (n,), boxes (n, 4) and landmarks (n, 5, 2) in pixels of `image`.
        """
        letterboxed, scale = self._letterbox(image, size)
        scores, boxes, points = self._detector.forward(letterboxed, DETECTION_THRESHOLD)
        return (
            np.concatenate(scores).astype(np.float32).ravel(),
            (np.concatenate(boxes) / scale).astype(np.float32),
            (np.concatenate(points) / scale).astype(np.float32),
        )

    def _letterbox(self, image: Pixels, size: int) -> tuple[Pixels, float]:
        """Shrink or enlarge to `size` on the longer side, as BGR.

        insightface pads to a square; black bars hold no faces, so a network that takes any shape
        gets only what fills its stride: a quarter less work for a 4:3 photo.

        Returns:
            The input and the factor from image to input pixels.
        """
        import cv2

        height, width = image.shape[:2]
        factor = size / max(height, width)
        new_width, new_height = max(1, round(width * factor)), max(1, round(height * factor))
        resized = cv2.resize(image, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
        if self._detector.static_input_size is None:
            rows, columns = _up_to_stride(new_height), _up_to_stride(new_width)
        else:
            columns, rows = self._detector.static_input_size
        canvas = np.zeros((rows, columns, 3), dtype=np.uint8)
        cv2.cvtColor(resized, cv2.COLOR_RGB2BGR, dst=canvas[:new_height, :new_width])
        return canvas, factor


def _up_to_stride(side: int) -> int:
    return -(-side // _STRIDE) * _STRIDE


def _aligned_bgr(image: Pixels, face: DetectedFace, side: int) -> Pixels:
    """Warp a face to the recogniser's square input, (side, side, 3) BGR."""
    import cv2

    matrix = alignment_transform(face.landmarks, side)
    warped = cv2.warpAffine(image, matrix, (side, side), borderValue=0.0)
    return np.asarray(cv2.cvtColor(warped, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _one_thread() -> Any:
    """Options of a session that works on the thread that calls it and nowhere else."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: shape warnings of old exports are not ours
    return options


def _record(known: KnownModel, pack: Pack) -> ModelRecord:
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
        detector_version=f"{known.name}/{pack.detector_sha256[:12]}/{_POLICY}",
        embedding_version=f"{known.name}/{pack.recogniser_sha256[:12]}/arcface112/1",
    )
