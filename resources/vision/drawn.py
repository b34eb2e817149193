"""A face where a person drew a box: aligned by what a detector sees there, or by a guess.

The box is the person's word and stays as drawn; the detector is asked only for landmarks, in the
box's surroundings, enlarged: there it finds faces that are too small for it in the whole picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from archive.errors import Permanent
from archive.faces.engine import FaceEngine
from archive.faces.estimating import estimated_landmarks, estimated_schema
from archive.faces.geometry import View, crop_rectangle, iou
from archive.faces.quality import judge
from archive.faces.records import Box, DetectedFace, FoundFace, Pixels
from resources.vision.crops import CROP_MARGIN, encode_crop, quality_patch
from resources.vision.scaling import scale_by

_LEAST_SIDE: Final = 8  # pixels that must lie in the picture; the eyes are three apart then
_VIEW_SIDE: Final = 512  # pixels; the face is half of it, a size that every detector likes

# How far a detector's box may differ from a drawn one. Around the same face dlib's has 0.69 of
# SCRFD's (mean over lfw10); somebody who draws the hair and the ears halves that again.
_SAME_FACE_IOU: Final = 0.25


def face_in_box(
    engine: FaceEngine, pixels: Pixels, box: Box, frame_seconds: float = 0.0
) -> FoundFace:
    """Align, judge, embed and cut the face in a box.

    Where the detector sees no face there, the landmarks are estimated: the schema says so, and the
    quality is 0, because nothing tells how well they fit.

    Args:
        engine: What finds and embeds.
        pixels: (h, w, 3) uint8 RGB, upright.
        box: In its pixels; what lies outside the picture is cut off.
        frame_seconds: Time of the frame; 0 for a photo.

    Raises:
        Permanent: Hardly anything of the box lies in the picture.
    """
    height, width = pixels.shape[:2]
    drawn = _inside(box, width, height)
    view, shown = _view(pixels, drawn)
    here = view.box_into(drawn)
    schema = engine.model.landmark_schema
    there, is_seen = aligned(engine, shown, here)
    face = DetectedFace(drawn, view.out_of(there.landmarks), there.detection_score)
    quality = judge(face, schema, quality_patch(pixels, drawn), width, height).score
    vector = engine.embed(shown, [there])[0]
    return FoundFace(
        frame_seconds=frame_seconds,
        box=drawn,
        landmarks=face.landmarks,
        landmark_schema=schema if is_seen else estimated_schema(schema),
        detection_score=face.detection_score,
        quality=quality if is_seen else 0.0,
        embedding=vector,
        crop=encode_crop(pixels, drawn),
    )


def aligned(engine: FaceEngine, shown: Pixels, box: Box) -> tuple[DetectedFace, bool]:
    """Give the face in a box with the landmarks that the detector sees, or else estimated ones.

    Args:
        engine: Whose detector is asked.
        shown: (h, w, 3) uint8 RGB: the box with its surroundings.
        box: In its pixels.

    Returns:
        The face, its box as given; and whether the detector sees it.
    """
    seen = _nearest(engine.detect(shown), box)
    if seen is not None:
        return DetectedFace(box, seen.landmarks, seen.detection_score), True
    return DetectedFace(box, estimated_landmarks(box, engine.model.landmark_schema), 0.0), False


def _inside(box: Box, width: int, height: int) -> Box:
    """Cut off what lies outside the picture."""
    inside = Box(max(0, box.x1), max(0, box.y1), min(width, box.x2), min(height, box.y2))
    if inside.side < _LEAST_SIDE:
        sides = ",".join(f"{side:g}" for side in (box.x1, box.y1, box.x2, box.y2))
        raise Permanent(
            f"the box {sides} shows too little of the picture, which is {width} × {height} pixels: "
            f"draw x1,y1,x2,y2 with sides of {_LEAST_SIDE} pixels or more inside it"
        )
    return inside


def _view(pixels: Pixels, box: Box) -> tuple[View, Pixels]:
    """Show the box with its surroundings, enlarged where they are small."""
    height, width = pixels.shape[:2]
    part = crop_rectangle(box, width, height, CROP_MARGIN)
    view = View(part, max(1.0, _VIEW_SIDE / max(part.width, part.height)))
    shown = pixels[int(part.y1) : int(part.y2), int(part.x1) : int(part.x2)]
    return view, np.ascontiguousarray(scale_by(shown, view.factor) if view.factor > 1 else shown)


def _nearest(faces: Sequence[DetectedFace], box: Box) -> DetectedFace | None:
    """Give the detection that shares most with the box; None where none means the same face."""
    best = max(faces, key=lambda face: iou(face.box, box), default=None)
    return best if best is not None and iou(best.box, box) >= _SAME_FACE_IOU else None
