"""Whole passes over real pictures with real models."""

import hashlib
import io
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps

from archive.errors import ItemRejected
from archive.faces.geometry import crop_rectangle, into_crop
from archive.faces.records import DetectedFace, FoundFace, MediaAnalysis, ModelThresholds
from resources.vision.analyst import Analyst, AnalystLimits
from resources.vision.crops import CROP_MARGIN, CROP_SIDE
from resources.vision.decoding import decode_photo
from resources.vision.factory import EngineSpec
from resources.vision.fingerprints import perceptual_hash
from tests.integration.vision.pictures import encoded, plain, video


@pytest.fixture(scope="module")
def analyst(pack_spec: EngineSpec) -> Analyst:
    return Analyst(pack_spec.build())


@pytest.fixture(scope="module")
def clip(shared_data: Path, analyst: Analyst) -> MediaAnalysis:
    data = (shared_data / "video" / "hamilton_clip.mp4").read_bytes()
    return analyst.analyse(data, "video")


def may_found(face: FoundFace, thresholds: ModelThresholds) -> bool:
    return (
        face.box.side >= thresholds.min_face_pixels_to_found
        and face.quality >= thresholds.min_quality_to_found
    )


def portrait(shared_data: Path, analyst: Analyst, name: str) -> np.ndarray:
    data = (shared_data / "video" / name).read_bytes()
    (face,) = analyst.analyse(data, "image").faces
    return face.embedding


def test_the_man_of_the_clip_is_one_appearance_of_the_man_of_the_portrait(
    shared_data: Path, analyst: Analyst, clip: MediaAnalysis, pack_spec: EngineSpec
) -> None:
    lin = portrait(shared_data, analyst, "lin-manuel-miranda.png")
    alex = portrait(shared_data, analyst, "alex-lacamoire.png")
    thresholds = pack_spec.build().model.thresholds

    founders = [face for face in clip.faces if may_found(face, thresholds)]

    (man,) = founders
    assert 3.8 < man.frame_seconds < 8.0
    assert float(man.embedding @ lin) >= thresholds.found
    assert float(man.embedding @ alex) < thresholds.accept - 0.2
    assert sum(float(face.embedding @ lin) >= thresholds.accept for face in clip.faces) == 1


def test_the_crowd_at_the_end_founds_nobody(clip: MediaAnalysis, pack_spec: EngineSpec) -> None:
    thresholds = pack_spec.build().model.thresholds

    crowd = [face for face in clip.faces if face.frame_seconds > 8]

    assert crowd
    assert not any(may_found(face, thresholds) for face in crowd)
    assert sum(clip.rejected.values()) > 0


def test_appearances_are_numbered_and_the_clip_is_fingerprinted(clip: MediaAnalysis) -> None:
    assert [face.track for face in clip.faces] == list(range(len(clip.faces)))
    assert clip.fingerprint.duration_seconds == pytest.approx(9.18, abs=0.1)
    assert (clip.fingerprint.width, clip.fingerprint.height) == (640, 360)
    assert clip.fingerprint.phash is not None


def test_of_lfw_each_largest_face_may_found_and_no_audience(
    shared_data: Path, analyst: Analyst, pack_spec: EngineSpec
) -> None:
    thresholds = pack_spec.build().model.thresholds
    people = sorted((shared_data / "faces" / "lfw10").iterdir())
    paths = [path for person in people for path in sorted(person.glob("*.jpg"))[3:8]]

    analyses = {path.name: analyst.analyse(path.read_bytes(), "image") for path in paths}

    for analysis in analyses.values():
        largest = max(analysis.faces, key=lambda face: face.box.area)
        assert may_found(largest, thresholds)
    audience = analyses["Vladimir_Putin_0007.jpg"]
    assert sum(may_found(face, thresholds) for face in audience.faces) == 1
    # The woman beside him in two of the photos is the same, and is to be found in both.
    her = analyses.pop("Arnold_Schwarzenegger_0005.jpg").faces[-1].embedding
    assert float(her @ analyses["Arnold_Schwarzenegger_0007.jpg"].faces[-1].embedding) > 0.45
    bystanders = [
        face.embedding
        for analysis in analyses.values()
        for face in sorted(analysis.faces, key=lambda face: -face.box.area)[1:]
        if may_found(face, thresholds)
    ]
    likeness = np.array(bystanders) @ np.array(bystanders).T - np.eye(len(bystanders))
    assert likeness.max() < thresholds.found


def test_a_crop_embeds_like_the_picture(
    shared_data: Path, analyst: Analyst, pack_spec: EngineSpec, six_people: bytes
) -> None:
    engine = pack_spec.build()
    lfw = sorted((shared_data / "faces" / "lfw10").glob("*/*_0002.jpg"))
    portraits = sorted((shared_data / "video").glob("*.png"))
    pictures = [six_people, *(path.read_bytes() for path in [*lfw, *portraits])]

    cosines = []
    for data in pictures:
        analysis = analyst.analyse(data, "image")
        width, height = analysis.fingerprint.width, analysis.fingerprint.height
        for face in analysis.faces:
            part = crop_rectangle(face.box, width, height, CROP_MARGIN)
            moved = into_crop(face.landmarks, part, CROP_SIDE)
            again = DetectedFace(face.box, moved, face.detection_score)
            vector = engine.embed(decode_photo(face.crop).pixels, [again])[0]
            cosines.append(float(face.embedding @ vector))

    assert len(cosines) >= 18
    assert min(cosines) >= 0.997


def test_crops_are_webp_within_bounds(analyst: Analyst, six_people: bytes) -> None:
    for face in analyst.analyse(six_people, "image").faces:
        crop = Image.open(io.BytesIO(face.crop))
        assert crop.format == "WEBP"
        assert max(crop.size) <= 512
        assert max(crop.size) >= 1.5 * face.box.side


def test_a_face_that_fills_the_picture_is_found(analyst: Analyst, six_people: bytes) -> None:
    face = max(analyst.analyse(six_people, "image").faces, key=lambda found: found.box.area)
    box = face.box
    whole = Image.open(io.BytesIO(six_people))
    tight = whole.crop((int(box.x1) + 4, int(box.y1) + 4, int(box.x2) - 4, int(box.y2) - 4))

    (found,) = analyst.analyse(encoded(tight), "image").faces

    assert float(found.embedding @ face.embedding) > 0.6


def test_orientation_changes_nothing(analyst: Analyst, six_people: bytes) -> None:
    turned = Image.open(io.BytesIO(six_people)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6

    analysis = analyst.analyse(encoded(turned, "PNG", exif=exif), "image")

    assert len(analysis.faces) == 6
    assert (analysis.fingerprint.width, analysis.fingerprint.height) == (1280, 886)


def test_a_stricter_quality_counts_what_it_drops(pack_spec: EngineSpec, six_people: bytes) -> None:
    strict = Analyst(pack_spec.build(), AnalystLimits(min_quality=0.75))

    analysis = strict.analyse(six_people, "image")

    assert len(analysis.faces) + sum(analysis.rejected.values()) == 6
    assert all(face.quality >= 0.75 for face in analysis.faces)
    assert sum(analysis.rejected.values()) >= 1


def test_fingerprints_need_no_engine() -> None:
    data = encoded(plain(300, 200))

    found = Analyst(None).analyse(data, "image", faces=False).fingerprint

    assert found.sha256 == hashlib.sha256(data).digest()
    assert (found.width, found.height, found.size_bytes) == (300, 200, len(data))


def test_a_video_of_one_frame_has_a_fingerprint() -> None:
    data = video([np.full((48, 64, 3), 90, np.uint8)])

    found = Analyst(None).analyse(data, "round_video", faces=False).fingerprint

    assert (found.width, found.height) == (64, 48)
    assert found.phash is not None


def test_a_photo_in_place_of_a_video_is_rejected_or_read_as_one_frame() -> None:
    with pytest.raises(ItemRejected):
        Analyst(None).analyse(b"plain text", "video", faces=False)


def test_the_perceptual_hash_is_imagehash_s_in_a_signed_bigint(six_people: bytes) -> None:
    pixels = decode_photo(six_people).pixels
    small = np.ascontiguousarray(pixels[:200, :200])

    ours = perceptual_hash(small)

    theirs = int(str(imagehash.phash(Image.fromarray(small))), 16)
    assert ours % (1 << 64) == theirs
    assert -(1 << 63) <= ours < 1 << 63


def test_near_copies_have_near_hashes(six_people: bytes) -> None:
    original = Image.open(io.BytesIO(six_people)).convert("RGB")
    smaller = decode_photo(encoded(original.resize((640, 443)), quality=60)).pixels
    mirrored = np.asarray(ImageOps.mirror(original))

    def distance(other: np.ndarray) -> int:
        first = perceptual_hash(np.asarray(original))
        return ((first ^ perceptual_hash(other)) & ((1 << 64) - 1)).bit_count()

    assert distance(smaller) <= 4
    assert distance(mirrored) > 10
