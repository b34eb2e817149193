"""Made-up people for tests: vectors around one direction a person, and the faces to go with them.

The generator with ageing, bursts and heavy tails belongs to the evaluation; this one makes small
worlds whose answer is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from archive.identity.records import Assignment, Decisions, FaceSet, FaceVector, Vectors
from archive.identity.rules import Rules
from archive.ids import ContentKey, FaceId, IdentityId

START = datetime(2026, 1, 1, tzinfo=UTC)
DIMS = 64

RULES = Rules(
    accept=0.4,
    margin=0.05,
    found=0.5,
    min_quality=0.2,
    min_quality_to_found=0.4,
    min_face_pixels_to_found=48,
    min_faces=3,
)


def face(number: int, **changes: object) -> FaceVector:
    """Return the only face of photo `number`, good enough for everything unless changed."""
    plain = FaceVector(
        face_id=FaceId(UUID(int=number + 1)),
        content_key=ContentKey(f"sha256:{number:064x}"),
        taken_at=START + timedelta(minutes=number),
        phash=None,
        frame_seconds=0.0,
        box=(10.0, 10.0, 110.0, 130.0),
        quality=0.9,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Return (n, dims) float32 rows of norm 1."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / norms, dtype=np.float32)


def directions(count: int, rng: np.random.Generator) -> Vectors:
    """Return (count, DIMS) directions that are orthogonal to each other."""
    basis, _ = np.linalg.qr(rng.standard_normal((DIMS, count)))
    return unit(basis.T)


def around(centre: NDArray[np.floating], count: int, likeness: float, seed: int) -> Vectors:
    """Return (count, DIMS) vectors with a mean cosine of about `likeness` to each other.

    Args:
        centre: (DIMS,) of norm 1.
        count: How many.
        likeness: 0–1.
        seed: Of the noise.
    """
    noise = np.random.default_rng(seed).standard_normal((count, DIMS))
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return unit(np.sqrt(likeness) * centre + np.sqrt(1.0 - likeness) * noise)


def of_people(*vectors: Vectors) -> tuple[FaceSet, list[int]]:
    """Return one photo a vector, none assigned, and the number of each face's person."""
    people = [person for person, rows in enumerate(vectors) for _ in rows]
    faces = tuple(face(number) for number in range(len(people)))
    return FaceSet(faces, np.concatenate(vectors), (None,) * len(people)), people


def world(sizes: Sequence[int], seed: int, likeness: float = 0.7) -> tuple[FaceSet, list[int]]:
    """Return people with the given numbers of photos, shuffled, and each face's person."""
    rng = np.random.default_rng(seed)
    centres = directions(len(sizes), rng)
    groups = [
        around(centre, size, likeness, seed * 1000 + person)
        for person, (centre, size) in enumerate(zip(centres, sizes, strict=True))
    ]
    faces, people = of_people(*groups)
    order = rng.permutation(len(people))
    shuffled = FaceSet(faces.faces, faces.vectors[order], faces.assigned)
    return shuffled, [people[i] for i in order]


def applied(faces: FaceSet, decisions: Decisions) -> FaceSet:
    """Return the faces with the decisions carried out."""
    joined = {joining.face_id: joining.identity_id for joining in everyone(decisions)}
    assigned = tuple(
        joined.get(face.face_id, old) for face, old in zip(faces.faces, faces.assigned, strict=True)
    )
    return FaceSet(faces.faces, faces.vectors, assigned)


def everyone(decisions: Decisions) -> list[Assignment]:
    """Return all faces that got an identity, cores first."""
    cores = [joining for founding in decisions.foundings for joining in founding.core]
    return [*cores, *decisions.assignments]


def partition(faces: FaceSet) -> set[frozenset[FaceId]]:
    """Return who is together with whom, without the names of the identities."""
    groups: dict[IdentityId, set[FaceId]] = {}
    for one, identity in zip(faces.faces, faces.assigned, strict=True):
        if identity is not None:
            groups.setdefault(identity, set()).add(one.face_id)
    return {frozenset(group) for group in groups.values()}
