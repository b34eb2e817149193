"""Faces by dlib: HOG detector, 5-point predictor, 128-d ResNet, all from wheels.

For the demo and for whoever wants nothing downloaded. dlib keeps Python's lock while it works, so
its workers are processes. The 68-point predictor beside these files is trained on data for
non-commercial use and stays untouched.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archive.errors import Permanent
from archive.faces.records import EYE_CORNERS, Box, DetectedFace, ModelRecord, Pixels
from archive.provenance import made_by
from resources.vision.digests import require_known, sha256_of
from resources.vision.known_models import KnownModel, Role
from resources.vision.scaling import scale_by, shrink_to

_PREDICTOR: Final = "shape_predictor_5_face_landmarks.dat"
_RECOGNISER: Final = "dlib_face_recognition_resnet_model_v1.dat"
_CHIP: Final = 150  # pixels, the ResNet's input
_CHIP_PADDING: Final = 0.25  # what the ResNet was trained with

# HOG finds faces from 80 px. Pictures up to here are doubled, so that it finds 40-px faces in them
# for 60 ms; larger ones are shrunk to here, or a 14-megapixel photo would take 3.5 s.
_ENLARGE_BELOW: Final = 700
_SHRINK_ABOVE: Final = 1400
_POLICY: Final = "hog-x2below700-max1400/1"  # part of the producer: change it with the policy


class DlibEngine:
    """dlib's models, loaded for one worker. Satisfies `archive.faces.engine.FaceEngine`."""

    holds_gil: Final = True

    def __init__(self, model: ModelRecord, predictor: Any, recogniser: Any) -> None:
        """Take loaded models; use `load`."""
        import dlib

        self.model: Final = model
        self._detector = dlib.get_frontal_face_detector()
        self._predictor = predictor
        self._recogniser = recogniser

    @classmethod
    def load(cls, known: KnownModel) -> DlibEngine:
        """Load the models that the wheels bring.

        Raises:
            Permanent: dlib or its models are not installed, or are others than are known.
        """
        try:
            import dlib
        except ImportError as exc:
            raise Permanent("dlib is not installed: add the package `dlib-bin`") from exc
        files = model_files()
        require_known(known, files)
        return cls(
            _record(known, files["landmarks"], files["recogniser"]),
            dlib.shape_predictor(str(files["landmarks"])),
            dlib.face_recognition_model_v1(str(files["recogniser"])),
        )

    def detect(self, image: Pixels, *, closely: bool = True) -> list[DetectedFace]:
        """Find all upright faces, strongest first; landmarks in schema `EYE_CORNERS`.

        It has one way of looking, whether `closely` or not.
        """
        import dlib

        pixels = np.ascontiguousarray(image)
        scaled, factor = _scaled_for_hog(pixels)
        rectangles, margins, _ = self._detector.run(scaled, 0, 0.0)
        faces = []
        for rectangle, margin in zip(rectangles, margins, strict=True):
            sides = (rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
            here = dlib.rectangle(*(round(side / factor) for side in sides))
            faces.append(_face(here, self._predictor(pixels, here), margin))
        return sorted(faces, key=lambda face: -face.detection_score)

    def useful_scale(self, width: int, height: int) -> float:
        """Give the scale below which detection would see less."""
        return min(1.0, _SHRINK_ABOVE / max(width, height))

    def embed(self, image: Pixels, faces: Sequence[DetectedFace]) -> NDArray[np.float32]:
        """Embed faces of one image in one batch: (n, 128) float32, unit norm."""
        import dlib

        if not faces:
            return np.empty((0, self.model.dims), dtype=np.float32)
        shapes = dlib.full_object_detections()
        for face in faces:
            shapes.append(_shape(face))
        pixels = np.ascontiguousarray(image)
        chips = dlib.get_face_chips(pixels, shapes, size=_CHIP, padding=_CHIP_PADDING)
        vectors = np.asarray(self._recogniser.compute_face_descriptor(chips, 0), dtype=np.float32)
        # Its norms lie between 1.29 and 1.59 and say nothing about the person.
        unit = np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
        return made_by(self.model.name, unit)


def _scaled_for_hog(image: Pixels) -> tuple[Pixels, float]:
    """Bring an image to the sizes at which HOG finds faces in bounded time."""
    longest = max(image.shape[:2])
    if longest <= _ENLARGE_BELOW:
        return scale_by(image, 2.0), 2.0
    return shrink_to(image, _SHRINK_ABOVE), min(1.0, _SHRINK_ABOVE / longest)


def _face(rectangle: Any, shape: Any, margin: float) -> DetectedFace:
    points = np.array([(part.x, part.y) for part in shape.parts()], dtype=np.float32)
    box = Box(
        float(rectangle.left()),
        float(rectangle.top()),
        float(rectangle.right() + 1),  # dlib's far edges are the last pixels inside
        float(rectangle.bottom() + 1),
    )
    return DetectedFace(box, points, _as_score(margin))


def _as_score(margin: float) -> float:
    """Bring the SVM's margin (0 upwards, about 3 for a clear face) to 0.5–1."""
    return 1.0 / (1.0 + math.exp(-2.0 * margin))


def _shape(face: DetectedFace) -> Any:
    """Rebuild dlib's own landmark object; its coordinates are whole numbers."""
    import dlib

    box = face.box
    rectangle = dlib.rectangle(round(box.x1), round(box.y1), round(box.x2) - 1, round(box.y2) - 1)
    points = [dlib.point(round(float(x)), round(float(y))) for x, y in face.landmarks]
    return dlib.full_object_detection(rectangle, points)


def model_files() -> Mapping[Role, Path]:
    """Find what the wheels bring.

    Raises:
        Permanent: They are not installed.
    """
    return {"landmarks": _model_file(_PREDICTOR), "recogniser": _model_file(_RECOGNISER)}


def _model_file(name: str) -> Path:
    """Find a file of `face_recognition_models` without importing it.

    Its `__init__` needs pkg_resources, which new versions of setuptools no longer bring.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0]) / "models" / name if folders else None
    if path is None or not path.is_file():
        raise Permanent(f"{name} is missing: add the package `face_recognition_models`")
    return path


def _record(known: KnownModel, predictor: Path, recogniser: Path) -> ModelRecord:
    digests = [sha256_of(path) for path in (predictor, recogniser)]
    return ModelRecord(
        name=known.name,
        kind="dlib",
        licence=known.licence,
        commercial_use=known.commercial_use,
        dims=128,
        detector="HOG frontal faces + 5-point predictor",
        recogniser=recogniser.name,
        landmark_schema=EYE_CORNERS,
        thresholds=known.thresholds,
        sha256=hashlib.sha256("".join(digests).encode()).hexdigest(),
        detector_version=f"{known.name}/{digests[0][:12]}/{_POLICY}",
        embedding_version=f"{known.name}/{digests[1][:12]}/chip150-unit/1",
    )
