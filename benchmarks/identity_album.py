"""Labelled faces for the identity claims: generated or of lfw10, grouped by us and by the peers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np

from archive.faces.records import ModelThresholds
from archive.identity.deciding import decide
from archive.identity.metrics import Agreement, bcubed, pairwise
from archive.identity.records import FaceSet, FaceVector
from archive.identity.rules import Rules
from archive.ids import IdentityId, content_key, new_face_id, new_identity_id
from benchmarks.identity_peers import PEERS, Labels
from benchmarks.identity_world import WorldSpec, make_world
from resources.vision.analyst import Analyst
from resources.vision.factory import load_engine
from resources.vision.models import look_up

# The generated worlds resemble its vectors.
_MODEL = "buffalo_l"


@dataclass(frozen=True, slots=True)
class Judged:
    """How one way of grouping did."""

    name: str
    bcubed: Agreement
    pairwise: Agreement

    @property
    def least(self) -> float:
        """The lower one of the two F."""
        return min(self.bcubed.f, self.pairwise.f)

    def __str__(self) -> str:
        """Give both F, and both precisions."""
        return (
            f"{self.name} F {self.bcubed.f:.4f}/{self.pairwise.f:.4f}"
            f" (precision {self.bcubed.precision:.4f}/{self.pairwise.precision:.4f})"
        )


@dataclass(frozen=True, slots=True)
class Album:
    """Labelled faces in the order of arrival; `rows` are those that are judged."""

    faces: FaceSet
    people: Sequence[object]
    rows: Sequence[int]
    thresholds: ModelThresholds

    def judged(self, name: str, found: Sequence[object]) -> Judged:
        """Hold labels against the truth."""
        truth = [self.people[row] for row in self.rows]
        labels = [found[row] for row in self.rows]
        return Judged(name, bcubed(truth, labels), pairwise(truth, labels))

    def by_us(self) -> Judged:
        """Judge one pass of ours over all."""
        return self.judged("ours", decided(self.faces, self.thresholds))

    def by_peers(self) -> list[Judged]:
        """Judge the peers."""
        grouped: dict[str, Labels] = {n: peer(self.faces.vectors) for n, peer in PEERS.items()}
        return [self.judged(name, labels) for name, labels in grouped.items()]


def made(spec: WorldSpec) -> Album:
    """Make a world and take its faces."""
    world = make_world(spec)
    thresholds = look_up(_MODEL).thresholds
    return Album(world.face_set(), world.person.tolist(), range(len(world)), thresholds)


def lfw10(shared: Path) -> Album:
    """Analyse the photos of ten people with MobileFaceNet; the largest face of each is judged."""
    engine = load_engine(
        "scrfd_mobilefacenet", shared / "models" / "insightface", accept_noncommercial=True
    )
    analyst = Analyst(engine)
    faces: list[FaceVector] = []
    vectors, people, judged_rows = [], [], []
    photos = sorted((shared / "faces" / "lfw10").glob("*/*.jpg"))
    for minute, photo in enumerate(photos):
        data = photo.read_bytes()
        analysis = analyst.analyse(data, "image")
        largest = max((found.box.side for found in analysis.faces), default=0.0)
        for found in analysis.faces:
            if found.box.side == largest:
                judged_rows.append(len(faces))
            box = found.box
            faces.append(
                FaceVector(
                    face_id=new_face_id(),
                    content_key=content_key(sha256(data).digest()),
                    taken_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute),
                    phash=analysis.fingerprint.phash,
                    frame_seconds=0.0,
                    box=(box.x1, box.y1, box.x2, box.y2),
                    quality=found.quality,
                )
            )
            vectors.append(found.embedding)
            people.append(photo.parent.name)
    face_set = FaceSet(tuple(faces), np.stack(vectors), (None,) * len(faces))
    return Album(face_set, people, judged_rows, engine.model.thresholds)


def decided(faces: FaceSet, thresholds: ModelThresholds) -> Sequence[IdentityId | None]:
    """Decide about faces in one pass; give each face's identity."""
    rules = Rules.of(thresholds, min_faces=3)
    good = [row for row, face in enumerate(faces.faces) if face.quality >= rules.min_quality]
    decisions = decide(faces.take(good), rules, new_identity_id)
    joined = {j.face_id: j.identity_id for f in decisions.foundings for j in f.core}
    joined |= {j.face_id: j.identity_id for j in decisions.assignments}
    return [
        joined.get(face.face_id, old) for face, old in zip(faces.faces, faces.assigned, strict=True)
    ]
