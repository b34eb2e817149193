"""Faces of all sizes, from one that fills the picture to 25 px in 20 megapixels."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from archive.faces.engine import FaceEngine
from archive.faces.geometry import iou
from archive.faces.records import Box, Pixels
from resources.vision.analyst import Analyst
from resources.vision.decoding import decode_photo
from resources.vision.factory import EngineSpec
from tests.integration.vision.pictures import encoded, plain


@pytest.fixture(scope="module")
def engine(pack_spec: EngineSpec) -> FaceEngine:
    return pack_spec.build()


@pytest.fixture(scope="module")
def portraits(shared_data: Path, engine: FaceEngine) -> list[tuple[Pixels, Box]]:
    """One photo of each of ten people, with the box of the face."""
    pictures = [
        decode_photo(sorted(person.glob("*.jpg"))[0].read_bytes()).pixels
        for person in sorted((shared_data / "faces" / "lfw10").iterdir())
    ]
    boxes = [max((f.box for f in engine.detect(p)), key=lambda box: box.area) for p in pictures]
    return list(zip(pictures, boxes, strict=True))


def group_photo(
    portraits: list[tuple[Pixels, Box]], side: float, width: int, height: int
) -> tuple[Pixels, list[Box]]:
    """Stand people in two rows in front of a wall, each face `side` pixels."""
    photo = np.full((height, width, 3), (150, 160, 170), np.uint8)
    boxes = []
    for number, (picture, box) in enumerate(portraits):
        factor = side / box.side
        small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        x = (number % 5) * width // 5 + 137
        y = height // 3 + (number // 5) * height // 4 + 53
        photo[y : y + small.shape[0], x : x + small.shape[1]] = small
        corners = np.array([box.x1, box.y1, box.x2, box.y2]) * factor + (x, y, x, y)
        boxes.append(Box(*map(float, corners)))
    return photo, boxes


def found(engine: FaceEngine, photo: Pixels, boxes: list[Box]) -> int:
    faces = engine.detect(photo)
    return sum(any(iou(box, face.box) >= 0.5 for face in faces) for box in boxes)


@pytest.mark.parametrize("side", [30, 40, 60, 90, 130, 200])
def test_all_faces_of_a_20_megapixel_group_photo_are_found(
    engine: FaceEngine, portraits: list[tuple[Pixels, Box]], side: int
) -> None:
    photo, boxes = group_photo(portraits, side, 5472, 3648)

    assert found(engine, photo, boxes) == len(boxes)


def test_faces_of_25_pixels_are_found_with_few_exceptions(
    engine: FaceEngine, portraits: list[tuple[Pixels, Box]]
) -> None:
    photo, boxes = group_photo(portraits, 25, 5472, 3648)

    assert found(engine, photo, boxes) >= 9


def test_without_tiles_small_faces_of_large_photos_are_missed(
    engine: FaceEngine, portraits: list[tuple[Pixels, Box]]
) -> None:
    photo, boxes = group_photo(portraits, 40, 5472, 3648)

    assert not any(
        iou(box, face.box) >= 0.5 for face in engine.detect(photo, closely=False) for box in boxes
    )


@pytest.mark.parametrize("side", [110, 250, 600, 1500])
def test_a_face_that_fills_the_picture_is_found_at_any_size(
    engine: FaceEngine, portraits: list[tuple[Pixels, Box]], side: int
) -> None:
    for picture, box in portraits:
        part = picture[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)]
        tight = cv2.resize(part, (side, round(side * part.shape[0] / part.shape[1])))
        assert len(engine.detect(np.asarray(tight, np.uint8))) == 1


def test_a_large_photo_without_detail_costs_no_tile(engine: FaceEngine) -> None:
    wall = np.tile(np.linspace(90, 200, 3000, dtype=np.uint8)[None, :, None], (2000, 1, 3))

    assert engine.detect(wall) == []


def test_a_huge_jpeg_is_decoded_at_the_scale_that_finds_its_faces(
    engine: FaceEngine, portraits: list[tuple[Pixels, Box]]
) -> None:
    photo, boxes = group_photo(portraits, 160, 9600, 6400)
    data = cv2.imencode(".jpg", photo[:, :, ::-1])[1].tobytes()

    reduced = decode_photo(data, useful_scale=engine.useful_scale)
    analysis = Analyst(engine).analyse(data, "image")

    assert (reduced.reduction, reduced.pixels.shape) == (2, (3200, 4800, 3))
    assert (analysis.fingerprint.width, analysis.fingerprint.height) == (9600, 6400)
    assert all(any(iou(box, face.box) >= 0.5 for face in analysis.faces) for box in boxes)


def test_faces_of_a_reduced_picture_keep_the_crops_and_vectors_of_the_whole(
    engine: FaceEngine, portraits: list[tuple[Pixels, Box]]
) -> None:
    picture, box = portraits[0]
    photo, _ = group_photo([(picture, box)], 300, 9600, 6400)
    data = cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()

    (face,) = Analyst(engine).analyse(data, "image").faces

    crop = decode_photo(face.crop).pixels
    assert max(crop.shape) == 512
    whole = decode_photo(data).pixels
    direct = max(engine.detect(whole), key=lambda each: iou(each.box, face.box))
    assert float(engine.embed(whole, [direct])[0] @ face.embedding) > 0.98


def test_a_jpeg_of_a_wall_is_not_decoded_whole(engine: FaceEngine) -> None:
    data = encoded(plain(9000, 6000))

    analysis = Analyst(engine).analyse(data, "image")

    assert analysis.faces == ()
    assert (analysis.fingerprint.width, analysis.fingerprint.height) == (9000, 6000)
