"""Made-up archives of known people: embeddings as a good recogniser gives them, with a seed.

No claim is here; `identity.*` and the tests of laws that need many people draw their worlds here.

A person is a direction, a face a von Mises–Fisher draw around it, in three steps that each cost
cosine: the person ages along a great circle, photos come in bursts of one event that share light,
pose and hair, and a face scatters around its event, the more the poorer it truly is. What a poor
face loses it gives to one direction that all poor faces share: blurred strangers resemble each
other (measured, see `archive.faces.quality`). Sizes have a heavy tail: few people are in a tenth of
all faces, most in a handful, many in one or two.

The default numbers are meant to resemble published figures of a 512-d ArcFace model (buffalo_l on
LFW): strangers 0 ± .06; a person's good faces .5–.7 to each other, .85 within one event; children
and poor faces far below. Siblings at .6 have good faces at .2–.45 to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from archive.identity.records import FaceSet, FaceVector, Vectors
from archive.ids import ContentKey, FaceId

_START = datetime(2016, 1, 1, tzinfo=UTC)
_YEARS = 10.0
_BLOCK = 50_000


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """What a world is like. Similarities are cosines.

    Attributes:
        faces: How many, about: each person has at least one.
        people: How many.
        seed: Of everything.
        dims: Length of the vectors.
        directions: Dimensions that tell people apart; strangers scatter by its root.
        tail: Exponent of the sizes: person number r has a share of 1 ÷ (r + 3) to this power.
        to_event: Of an event to its person as old as then: A vMF mean.
        to_face: Of a perfect face to its event.
        burst: Mean number of faces in an event.
        near_copies: Share of faces that are the same picture again, compressed or resized.
        ageing: Of an adult to herself ten years on.
        child_ageing: Of a child likewise.
        children: Share of people who are children.
        pose: How differently events resemble their person: standard deviation of `to_event`.
        quality: Mean quality of the faces.
        misjudged: By how much the measured quality misses how readable a face is: a deviation.
        siblings: Of a person to each of the family; 0: nobody has any.
        family: How many there are in a family, where there are siblings.
        together: Share of a sibling's faces that are in one photo with another sibling.
    """

    faces: int = 6_000
    people: int = 400
    seed: int = 1
    dims: int = 512
    directions: int = 128
    tail: float = 1.2
    to_event: float = 0.88
    to_face: float = 0.95
    burst: float = 2.5
    near_copies: float = 0.05
    ageing: float = 0.85
    child_ageing: float = 0.55
    children: float = 0.1
    pose: float = 0.06
    quality: float = 0.66
    misjudged: float = 0.12
    siblings: float = 0.0
    family: int = 3
    together: float = 0.15


DEFAULT = WorldSpec()
SIBLINGS = WorldSpec(seed=2, siblings=0.6)
MILLION = WorldSpec(faces=1_000_000, people=20_000, seed=3, tail=0.8)


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Faces in the order in which they were sent, and who they are.

    Attributes:
        vectors: (n, dims) float32 of unit norm.
        person: (n,) the number of each face's person.
        event: (n,) the number of its event, unique over people.
        years: (n,) when it was taken, 0–10.
        quality: (n,) 0–1.
        pixels: (n,) the shorter side of its box.
        photo: (n,) the number of the photo that shows it.
        phash: (n,) int64, of that photo; near copies differ in a few bits.
        place: (n,) which face of its photo it is, from the left.
    """

    vectors: Vectors
    person: NDArray[np.intp]
    event: NDArray[np.intp]
    years: NDArray[np.float64]
    quality: NDArray[np.float64]
    pixels: NDArray[np.float64]
    photo: NDArray[np.intp]
    phash: NDArray[np.int64]
    place: NDArray[np.intp]

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.person)

    def take(self, rows: NDArray[np.intp]) -> World:
        """Return the faces at `rows`, in that order."""
        return World(*(getattr(self, name)[rows] for name in self.__slots__))

    def face(self, row: int) -> FaceVector:
        """Give one face as the rules see it."""
        side, left = float(self.pixels[row]), 400.0 * int(self.place[row])
        number = (int(self.photo[row]) << 8) + int(self.place[row])
        return FaceVector(
            face_id=FaceId(UUID(int=number)),
            content_key=ContentKey(f"sha256:{int(self.photo[row]):064x}"),
            taken_at=_START + timedelta(days=float(self.years[row]) * 365.25),
            phash=int(self.phash[row]),
            frame_seconds=0.0,
            box=(left, 0.0, left + side, 1.2 * side),
            quality=float(self.quality[row]),
        )

    def face_set(self) -> FaceSet:
        """Give all faces as the rules take them, none with an identity."""
        faces = tuple(self.face(row) for row in range(len(self)))
        return FaceSet(faces, self.vectors, (None,) * len(self))


def make_world(spec: WorldSpec) -> World:
    """Make a world; the same spec gives the same one."""
    rng = np.random.default_rng(spec.seed)
    person = np.repeat(np.arange(spec.people), _sizes(spec))
    event = _events(person, spec.burst, rng)
    count = len(person)
    years = rng.uniform(0.0, _YEARS, event[-1] + 1)[event] + rng.uniform(0.0, 1e-3, count)
    quality = rng.beta(6.0 * spec.quality, 6.0 * (1.0 - spec.quality), count)
    pixels = np.clip(rng.lognormal(np.log(110.0), 0.5, count) * (0.5 + quality), 20.0, 380.0)
    vectors = _vectors(spec, person, event, years, quality, rng)
    phash = rng.integers(-(2**62), 2**62, count)
    _copy_some(spec, event, vectors, phash, quality, rng)
    photo, place = _photos(spec, person, event, years, rng)
    # A photo has one time and one hash: those of its first face.
    _, first, photo = np.unique(photo, return_index=True, return_inverse=True)
    years, phash = years[first[photo]], phash[first[photo]]
    world = World(vectors, person, event, years, quality, pixels, photo, phash, place)
    return world.take(np.lexsort((place, years)))


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Return (n, dims) float32 rows of norm 1."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / norms, dtype=np.float32)


def von_mises_fisher(
    means: Vectors, cosines: NDArray[np.floating], rng: np.random.Generator
) -> Vectors:
    """Draw one unit vector around each mean.

    The draw is Wood's ("Simulation of the von Mises Fisher distribution", 1994).

    Args:
        means: (n, dims) float32 of unit norm.
        cosines: (n,) the expected cosine of each draw to its mean, 0 to below 1. The
            concentration that gives it is Banerjee's approximation ("Clustering on the unit
            hypersphere using von Mises-Fisher distributions", 2005).
        rng: Where chance comes from.

    Returns:
        (n, dims) float32 of unit norm.
    """
    dims = means.shape[1]
    r = np.clip(np.asarray(cosines, dtype=np.float64), 1e-3, 0.9999)
    kappa = r * (dims - r * r) / (1.0 - r * r)
    b = (dims - 1) / (2.0 * kappa + np.sqrt(4.0 * kappa**2 + (dims - 1) ** 2))
    x0 = (1.0 - b) / (1.0 + b)
    c = kappa * x0 + (dims - 1) * np.log(1.0 - x0**2)
    along = np.empty(len(r))
    waiting = np.arange(len(r))
    while len(waiting):
        z = rng.beta((dims - 1) / 2.0, (dims - 1) / 2.0, len(waiting))
        bw, kw, x0w, cw = b[waiting], kappa[waiting], x0[waiting], c[waiting]
        w = (1.0 - (1.0 + bw) * z) / (1.0 - (1.0 - bw) * z)
        drawn = kw * w + (dims - 1) * np.log(1.0 - x0w * w) - cw
        kept = drawn >= np.log(rng.uniform(size=len(waiting)))
        along[waiting[kept]] = w[kept]
        waiting = waiting[~kept]
    return _beside(means, along, rng)


def _beside(means: Vectors, cosines: NDArray[np.floating], rng: np.random.Generator) -> Vectors:
    """Return for each mean a vector of exactly this cosine to it, in a random direction."""
    found = np.empty_like(means)
    for start in range(0, len(means), _BLOCK):
        part = slice(start, start + _BLOCK)
        noise = rng.standard_normal(means[part].shape, dtype=np.float32)
        noise -= np.sum(noise * means[part], axis=1, keepdims=True) * means[part]
        along = np.asarray(cosines[part], dtype=np.float32)[:, None]
        across = np.sqrt(1.0 - along**2) / np.linalg.norm(noise, axis=1, keepdims=True)
        found[part] = unit(along * means[part] + across * noise)
    return found


def _sizes(spec: WorldSpec) -> NDArray[np.intp]:
    shares = (np.arange(spec.people) + 3.0) ** -spec.tail
    sizes: NDArray[np.intp] = np.round(spec.faces * shares / shares.sum()).astype(np.intp)
    return np.maximum(1, sizes)


def _events(person: NDArray[np.intp], burst: float, rng: np.random.Generator) -> NDArray[np.intp]:
    """Number the events: each face begins one with chance 1 ÷ `burst`, and each person does."""
    begins = rng.uniform(size=len(person)) < 1.0 / burst
    begins |= np.diff(person, prepend=-1) > 0
    numbers: NDArray[np.intp] = np.cumsum(begins) - 1
    return numbers


def _centres(spec: WorldSpec, rng: np.random.Generator) -> Vectors:
    """Return (people, dims) directions; members of a family share a part of theirs."""
    flat = unit(rng.standard_normal((spec.people, spec.directions)))
    if spec.siblings > 0.0:
        # Members are spread over the order of sizes, so that large and small meet.
        families = -(-spec.people // spec.family)
        parents = unit(rng.standard_normal((families, spec.directions)))
        flat = _beside(
            parents[np.arange(spec.people) % families],
            np.full(spec.people, np.sqrt(spec.siblings)),
            rng,
        )
    turned, _ = np.linalg.qr(rng.standard_normal((spec.dims, spec.directions)))
    return unit(flat @ turned.T)


def _vectors(
    spec: WorldSpec,
    person: NDArray[np.intp],
    event: NDArray[np.intp],
    years: NDArray[np.float64],
    quality: NDArray[np.float64],
    rng: np.random.Generator,
) -> Vectors:
    young = _centres(spec, rng)
    is_child = rng.uniform(size=spec.people) < spec.children
    angle = np.arccos(np.where(is_child, spec.child_ageing, spec.ageing))
    old = _beside(young, np.zeros(spec.people), rng)
    _, first = np.unique(event, return_index=True)
    who, turn = person[first], (angle[person[first]] * years[first] / _YEARS)[:, None]
    aged = unit(np.cos(turn) * young[who] + np.sin(turn) * old[who])
    likeness = np.clip(rng.normal(spec.to_event, spec.pose, len(first)), 0.4, 0.97)
    events = von_mises_fisher(aged, likeness, rng)
    true = np.clip(quality + rng.normal(0.0, spec.misjudged, len(quality)), 0.0, 1.0)
    # A face of quality .75 is as good as any; one of 0 keeps a third of its likeness.
    readable = np.minimum(1.0, 0.33 + 0.67 * true / 0.75)
    poor = unit(rng.standard_normal((1, spec.dims)))
    vectors = np.empty((len(person), spec.dims), dtype=np.float32)
    for start in range(0, len(person), _BLOCK):
        part = slice(start, start + _BLOCK)
        drawn = von_mises_fisher(events[event[part]], spec.to_face * readable[part], rng)
        blur = np.maximum(0.0, 0.4 - true[part]).astype(np.float32)[:, None]
        vectors[part] = unit(drawn + 2.0 * blur * poor)
    return vectors


def _copy_some(
    spec: WorldSpec,
    event: NDArray[np.intp],
    vectors: Vectors,
    phash: NDArray[np.int64],
    quality: NDArray[np.float64],
    rng: np.random.Generator,
) -> None:
    """Make some faces near copies of the one before them in their event."""
    copies = np.flatnonzero(np.diff(event, prepend=-1) == 0)
    copies = copies[rng.uniform(size=len(copies)) < spec.near_copies]
    for row in copies.tolist():
        bits = rng.integers(0, 62, 3)
        phash[row] = phash[row - 1] ^ int(np.bitwise_xor.reduce(np.int64(1) << bits))
        quality[row] = quality[row - 1]
        vectors[row] = _beside(vectors[row - 1 : row], np.array([0.98]), rng)[0]


def _photos(
    spec: WorldSpec,
    person: NDArray[np.intp],
    event: NDArray[np.intp],
    years: NDArray[np.float64],
    rng: np.random.Generator,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Say which photo shows each face, and which face of it that is.

    Each face has a photo of its own, but siblings are now and then side by side in one.
    """
    photo, place = np.arange(len(person)), np.zeros(len(person), dtype=np.intp)
    if spec.siblings == 0.0:
        return photo, place
    families = -(-spec.people // spec.family)
    begins = np.searchsorted(person, np.arange(spec.people + 1))
    joins = rng.uniform(size=len(person)) < spec.together
    for row in np.flatnonzero(joins & (person >= families)).tolist():
        elder = int(person[row]) - families
        low, high = int(begins[elder]), int(begins[elder + 1])
        beside = int(rng.integers(low, high))
        if not joins[beside] and place[beside] == 0:
            photo[row], place[row] = beside, 1
            joins[beside] = True
    return photo, place
