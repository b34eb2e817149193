"""People out of real photos: quality on lfw10 and the test video, by real models.

The models' part is `tests/integration/vision`; a chat of these photos from end to end is tested
where chats are. Here the order of the photos varies, which costs nothing once they are embedded.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from archive.faces.records import MediaAnalysis, ModelThresholds
from archive.identity.deciding import decide
from archive.identity.metrics import Agreement, bcubed
from archive.identity.records import FaceSet, FaceVector
from archive.identity.rules import NEAR_COPY_BITS, Rules, phash_distance
from archive.ids import content_key, new_face_id, new_identity_id
from resources.vision.analyst import Analyst
from resources.vision.factory import load_engine
from resources.vision.fingerprints import perceptual_hash
from tests.unit.identity.worlds import START, applied

SHUFFLES = 20
BATCHES = 5


@dataclass(frozen=True)
class Content:
    """An analysed file and whom it shows: the name of its folder, or of itself."""

    name: str
    analysis: MediaAnalysis


@dataclass(frozen=True)
class Album:
    """What a model made of all test files."""

    thresholds: ModelThresholds
    photos: tuple[Content, ...]
    hamilton: tuple[Content, ...]


@dataclass(frozen=True)
class Faces:
    """Faces in the order in which their contents were sent; `main` is the largest of each."""

    faces: FaceSet
    names: tuple[str, ...]
    main: tuple[bool, ...]

    def judged(self, decided: FaceSet) -> Agreement:
        """Judge the largest face of each content."""
        rows = [row for row, main in enumerate(self.main) if main]
        return bcubed([self.names[r] for r in rows], [decided.assigned[r] for r in rows])

    def identities_of(self, decided: FaceSet, name: str) -> set[object]:
        """Give whom a name's largest faces are assigned to; None stands for nobody."""
        return {
            identity
            for identity, one, main in zip(decided.assigned, self.names, self.main, strict=True)
            if main and one == name
        }


@pytest.fixture(
    scope="module",
    params=["scrfd_mobilefacenet", pytest.param("dlib", marks=pytest.mark.slow)],
)
def album(request: pytest.FixtureRequest, shared_data: Path) -> Album:
    models = shared_data / "models" / "insightface"
    engine = load_engine(request.param, models, accept_noncommercial=True)
    analyst = Analyst(engine)
    lfw10 = sorted((shared_data / "faces" / "lfw10").glob("*/*.jpg"))
    video = shared_data / "video"
    clip = analyst.analyse((video / "hamilton_clip.mp4").read_bytes(), "video")
    return Album(
        engine.model.thresholds,
        tuple(Content(p.parent.name, analyst.analyse(p.read_bytes(), "image")) for p in lfw10),
        (
            Content("clip", clip),
            *(
                Content(p.stem, analyst.analyse(p.read_bytes(), "image"))
                for p in sorted(video.glob("*.png"))
            ),
        ),
    )


def sent(contents: Sequence[Content]) -> Faces:
    """Give the faces of contents that were sent one a minute, in this order."""
    faces: list[FaceVector] = []
    vectors, names, main = [], [], []
    for minute, content in enumerate(contents):
        fingerprint = content.analysis.fingerprint
        largest = max((f.box.side for f in content.analysis.faces), default=0.0)
        for found in content.analysis.faces:
            box = found.box
            faces.append(
                FaceVector(
                    face_id=new_face_id(),
                    content_key=content_key(fingerprint.sha256),
                    taken_at=START + timedelta(minutes=minute),
                    phash=fingerprint.phash,
                    frame_seconds=found.frame_seconds,
                    box=(box.x1, box.y1, box.x2, box.y2),
                    quality=found.quality,
                    detection_score=found.detection_score,
                )
            )
            vectors.append(found.embedding)
            names.append(content.name)
            main.append(box.side == largest)
    nobody = (None,) * len(faces)
    return Faces(FaceSet(tuple(faces), np.stack(vectors), nobody), tuple(names), tuple(main))


def shuffled(album: Album, seed: int) -> Faces:
    order = np.random.default_rng(seed).permutation(len(album.photos))
    return sent([album.photos[i] for i in order])


def decided(faces: FaceSet, album: Album, min_faces: int = 3) -> FaceSet:
    rules = Rules.of(album.thresholds, min_faces=min_faces)
    return applied(faces, decide(faces, rules, new_identity_id))


def decided_in_batches(faces: FaceSet, album: Album) -> FaceSet:
    """Decide after each fifth of the faces, as if each had arrived alone."""
    assigned = list(faces.assigned)
    for batch in np.array_split(np.arange(len(faces)), BATCHES):
        so_far = range(int(batch[-1]) + 1)
        known = FaceSet(faces.faces, faces.vectors, tuple(assigned)).take(so_far)
        assigned[: len(so_far)] = decided(known, album).assigned
    return FaceSet(faces.faces, faces.vectors, tuple(assigned))


@pytest.mark.parametrize("seed", range(SHUFFLES))
def test_ten_people_are_ten_identities_in_whatever_order_they_come(album: Album, seed: int) -> None:
    faces = shuffled(album, seed)
    people = decided(faces.faces, album)
    assert faces.judged(people).f >= 0.97
    each = [faces.identities_of(people, name) - {None} for name in sorted(set(faces.names))]
    assert [len(identities) for identities in each] == [1] * 10
    assert len(set(people.assigned) - {None}) == 10


@pytest.mark.parametrize("seed", range(SHUFFLES))
def test_photos_that_come_in_five_batches_end_near_where_they_end_at_once(
    album: Album, seed: int
) -> None:
    faces = shuffled(album, seed)
    at_once = faces.judged(decided(faces.faces, album))
    in_batches = faces.judged(decided_in_batches(faces.faces, album))
    assert in_batches.f >= at_once.f - 0.02
    assert in_batches.precision >= 0.99


def test_bystanders_belong_to_nobody(album: Album) -> None:
    faces = sent(album.photos)
    people = decided(faces.faces, album)
    pairs = zip(people.assigned, faces.main, strict=True)
    assert [identity for identity, main in pairs if not main and identity] == []


def test_the_man_of_the_video_is_one_with_his_photo_and_nobody_else_is(album: Album) -> None:
    faces = sent(album.hamilton)
    people = decided(faces.faces, album, min_faces=2)
    (him,) = faces.identities_of(people, "lin-manuel-miranda")
    assert him is not None
    assert faces.identities_of(people, "alex-lacamoire") == {None}
    assert set(people.assigned) == {him, None}
    seen_at = [
        one.frame_seconds
        for one, name, identity in zip(people.faces, faces.names, people.assigned, strict=True)
        if name == "clip" and identity == him
    ]
    assert seen_at
    assert all(3.8 <= seconds <= 8.0 for seconds in seen_at)


@pytest.fixture(scope="module")
def photos(shared_data: Path) -> list[Image.Image]:
    files = sorted((shared_data / "faces" / "lfw10").glob("*/*.jpg"))
    return [Image.open(io.BytesIO(file.read_bytes())).convert("RGB") for file in files]


def test_different_photos_are_no_near_copies(photos: list[Image.Image]) -> None:
    hashes = [perceptual_hash(np.asarray(photo)) for photo in photos]
    pairs = ((a, b) for i, a in enumerate(hashes) for b in hashes[:i])
    assert min(phash_distance(a, b) for a, b in pairs) > NEAR_COPY_BITS


@pytest.mark.parametrize("change", ["strong compression", "half the size", "more light"])
def test_a_changed_copy_of_a_photo_is_a_near_copy(photos: list[Image.Image], change: str) -> None:
    for photo in photos:
        before, after = (perceptual_hash(np.asarray(p)) for p in (photo, changed(photo, change)))
        assert phash_distance(before, after) <= NEAR_COPY_BITS


def changed(photo: Image.Image, change: str) -> Image.Image:
    if change == "more light":
        return ImageEnhance.Brightness(photo).enhance(1.2)
    if change == "half the size":
        return photo.resize((photo.width // 2, photo.height // 2))
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=15)
    return Image.open(file).convert("RGB")
