"""Whether a pack that nobody described does what it should, on a picture that we know.

The picture ships with insightface: six people, none of them turned away. What the pack says of it
is held against what any sound pair of networks says; how good it is on real people is calibration.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from archive.errors import Permanent
from archive.faces.engine import FaceEngine
from archive.faces.geometry import iou
from archive.faces.records import DetectedFace, Pixels
from resources.vision.scaling import scale_by

PEOPLE: Final = 6
_SCALE: Final = 0.8
_SAME_PLACE: Final = 0.5
# A face and the same face a fifth smaller: at least .98 with MobileFaceNet, 1.00 with dlib (where
# strangers have up to .90). A network that is fed wrongly stays below, or makes all faces one.
_SAME_FACE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Trial:
    """One question to a pack."""

    question: str
    passed: bool
    finding: str


def try_out(engine: FaceEngine) -> list[Trial]:
    """Ask an engine what any sound one knows."""
    picture = _picture()
    faces = engine.detect(picture)
    trials = [
        Trial("finds the six people", len(faces) == PEOPLE, f"{len(faces)} faces"),
    ]
    if faces:
        trials += _vectors(engine, picture, faces)
    return trials


def _vectors(engine: FaceEngine, picture: Pixels, faces: Sequence[DetectedFace]) -> Iterator[Trial]:
    vectors = engine.embed(picture, faces)
    shape = (len(faces), engine.model.dims)
    norms = np.linalg.norm(vectors, axis=1)
    sound = bool(vectors.shape == shape and np.all(np.abs(norms - 1.0) < 1e-3))
    yield Trial("makes vectors of length 1", sound, f"{vectors.shape[1]} numbers a face")
    likeness, strangers = _likeness(engine, picture, faces, vectors)
    finding = f"at least {likeness:.2f} to itself, strangers at most {strangers:.2f}"
    yield Trial("knows a face when it is smaller", likeness > _SAME_FACE, finding)
    yield Trial("tells people apart", strangers < likeness - 0.01, finding)


def _likeness(
    engine: FaceEngine,
    picture: Pixels,
    faces: Sequence[DetectedFace],
    vectors: NDArray[np.float32],
) -> tuple[float, float]:
    """Give the least cosine of a face to itself in a smaller picture, and the most to another."""
    smaller = scale_by(picture, _SCALE)
    again = engine.detect(smaller)
    cosines = np.asarray(vectors @ engine.embed(smaller, again).T)
    same = np.asarray([[_is_same(face, each) for each in again] for face in faces], dtype=np.bool_)
    same = same.reshape(cosines.shape)
    if not same.any():
        return -1.0, 1.0
    return float(cosines[same].min()), float(cosines[~same].max(initial=-1.0))


def _is_same(face: DetectedFace, smaller: DetectedFace) -> bool:
    box = smaller.box
    whole = type(box)(box.x1 / _SCALE, box.y1 / _SCALE, box.x2 / _SCALE, box.y2 / _SCALE)
    return iou(face.box, whole) >= _SAME_PLACE


def _picture() -> Pixels:
    from PIL import Image

    spec = importlib.util.find_spec("insightface")
    path = Path(spec.origin).parent / "data" / "images" / "t1.jpg" if spec and spec.origin else None
    if path is None or not path.is_file():
        raise Permanent("the picture for the self-test is missing: install insightface again")
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), dtype=np.uint8)
