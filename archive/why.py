"""Why a picture's faces are whom they are: all its detections, and what decided about each.

Nothing is decided here; the rules that decided are asked again, with today's people. What a store
must tell is the port; a detection that was dropped has no vector, so it is like nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from archive.faces.records import Box, Embedding
from archive.identity.matching import identity_scores
from archive.identity.records import Vectors
from archive.identity.rules import Rules
from archive.ids import ChatNo, ContentKey, FaceId, IdentityId, MediaId, MessageId

NEAREST: Final = 3
"""People told for each face."""


@dataclass(frozen=True, slots=True)
class SearchedMedium:
    """One medium, and how far it came.

    Attributes:
        media_id: As `failures list` names it.
        kind: photo, video …
        content_key: Of its bytes; None before it was downloaded.
        products: Product → `done`, or the state with its reason.
        detector: What searched it; None where nothing did, or before that was kept.
        provider: What the networks ran on.
        rejected: Reason → number of detections.
        truncated: Only the beginning of the picture arrived.
    """

    media_id: MediaId
    kind: str
    content_key: ContentKey | None
    products: Mapping[str, str]
    detector: str | None
    provider: str | None
    rejected: Mapping[str, int]
    truncated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face that a detector reported.

    Attributes:
        face_id: None for one that was dropped.
        reason: Why it was dropped; None for one that was kept.
        identity_id: Whose it is; None while nobody's.
        embedding: Unit vector; None for one that was dropped.
    """

    frame_seconds: float
    box: Box
    detection_score: float
    quality: float
    face_id: FaceId | None = None
    reason: str | None = None
    identity_id: IdentityId | None = None
    embedding: Embedding | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NearPerson:
    """A person who may be near a face.

    Attributes:
        name: What a person calls them.
        members: (m, dims) float32 unit vectors of their faces, without the one asked about.
        in_frame: Whether another face of the same frame is theirs.
    """

    identity_id: IdentityId
    name: str
    members: Vectors
    in_frame: bool


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a person a face is: the score that decides."""

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Explained:
    """One detection with what became of it.

    Attributes:
        verdict: In words.
        person: Whose it is; None while nobody's.
        nearest: At most three, the likest first.
        margin: By how much the first beats the second; None without a second.
    """

    detection: Detection
    verdict: str
    person: str | None
    nearest: tuple[Likeness, ...]
    margin: float | None


class SearchStore(Protocol):
    """What the store tells."""

    def of_message(
        self, chat_no: ChatNo, message_id: MessageId, model: str
    ) -> list[SearchedMedium]:
        """Give the media of a message."""
        ...

    def of_medium(self, media_id: MediaId, model: str) -> SearchedMedium | None:
        """Give one medium."""
        ...

    def detections(self, content_key: ContentKey, model: str) -> list[Detection]:
        """Give all detections of a content, kept ones first."""
        ...

    def near(self, detection: Detection, content_key: ContentKey, model: str) -> list[NearPerson]:
        """Give the people whose faces are nearest to one, more of them than are told."""
        ...

    def name(self, identity_id: IdentityId) -> str:
        """Say what a person is called."""
        ...


def explain(
    store: SearchStore, content_key: ContentKey, model: str, rules: Rules
) -> list[Explained]:
    """Explain every detection of a content, from left to right within a frame.

    Args:
        store: Where it is kept.
        content_key: The content.
        model: Whose vectors are compared.
        rules: By which people are decided today.
    """
    found = sorted(
        store.detections(content_key, model), key=lambda each: (each.frame_seconds, each.box.x1)
    )
    return [_explain(store, content_key, model, rules, each) for each in found]


def _explain(
    store: SearchStore, content_key: ContentKey, model: str, rules: Rules, detection: Detection
) -> Explained:
    if detection.embedding is None:
        return Explained(detection, f"dropped: {detection.reason}", None, (), None)
    ranked = _ranked(store.near(detection, content_key, model), detection.embedding, rules)
    margin = ranked[0].score - ranked[1].score if len(ranked) > 1 else None
    person = store.name(detection.identity_id) if detection.identity_id else None
    verdict = f"is {person}" if person else _why_nobody(detection, ranked, margin, rules)
    return Explained(detection, verdict, person, tuple(ranked[:NEAREST]), margin)


def _ranked(people: Sequence[NearPerson], vector: Embedding, rules: Rules) -> list[Likeness]:
    probe = vector[None, :]
    scored = [
        Likeness(
            person.name,
            float(identity_scores(probe, person.members)[0])
            - (rules.same_frame_penalty if person.in_frame else 0.0),
        )
        for person in people
        if len(person.members)
    ]
    return sorted(scored, key=lambda each: (-each.score, each.name))


def _why_nobody(
    detection: Detection, ranked: Sequence[Likeness], margin: float | None, rules: Rules
) -> str:
    if detection.quality < rules.min_quality:
        return f"kept to be seen, not compared: its quality is below {rules.min_quality:g}"
    need = rules.need_at(detection.quality)
    if not ranked or ranked[0].score < need:
        return f"like nobody (it joins a person from {need:.2g}); {_founding(detection, rules)}"
    if margin is not None and margin < rules.margin:
        return f"between two people: the margin must be {rules.margin:g}"
    return f"joins {ranked[0].name} when people are next decided"


def _founding(detection: Detection, rules: Rules) -> str:
    if detection.box.side < rules.min_face_pixels_to_found:
        return f"too small to found one (from {rules.min_face_pixels_to_found:g} px)"
    if detection.quality < rules.min_quality_to_found:
        return f"not good enough to found one (from {rules.min_quality_to_found:g})"
    return f"founds one with {rules.min_faces - 1} more like it ({rules.found:g})"
