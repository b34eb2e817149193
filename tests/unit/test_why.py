"""What a person is told about each detection."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np
import pytest

from archive.faces.records import Box
from archive.identity.rules import Rules
from archive.ids import ChatNo, ContentKey, FaceId, IdentityId, MediaId, MessageId
from archive.why import Detection, Explained, NearPerson, SearchedMedium, explain

RULES = Rules(0.4, 0.05, 0.5, 0.1, 0.3, 40.0, min_faces=3)
ANN, BOB = IdentityId(UUID(int=1)), IdentityId(UUID(int=2))


def vector(*values: float) -> np.ndarray:
    array = np.array(values, dtype=np.float32)
    return array / np.linalg.norm(array)


FACE = Detection(
    0.0, Box(0, 0, 60, 60), 0.9, 0.8, face_id=FaceId(UUID(int=9)), embedding=vector(1, 0, 0)
)


@dataclass
class Told:
    """A store of one content."""

    found: list[Detection]
    people: list[NearPerson] = field(default_factory=list)

    def of_message(
        self, chat_no: ChatNo, message_id: MessageId, model: str
    ) -> list[SearchedMedium]:
        return []

    def of_medium(self, media_id: MediaId, model: str) -> SearchedMedium | None:
        return None

    def detections(self, content_key: ContentKey, model: str) -> list[Detection]:
        return self.found

    def near(self, detection: Detection, content_key: ContentKey, model: str) -> list[NearPerson]:
        return self.people

    def name(self, identity_id: IdentityId) -> str:
        return "Ann"


def ann(*like: float, in_frame: bool = False) -> NearPerson:
    return NearPerson(ANN, "Ann", vector(*like)[None, :], in_frame)


def bob(*like: float) -> NearPerson:
    return NearPerson(BOB, "Bob", vector(*like)[None, :], in_frame=False)


def told(detection: Detection, *people: NearPerson) -> Explained:
    (only,) = explain(Told([detection], list(people)), ContentKey("sha256:0"), "fake", RULES)
    return only


@pytest.mark.parametrize(
    ("detection", "people", "verdict"),
    [
        (replace(FACE, embedding=None, reason="blurred"), (), "dropped: blurred"),
        (replace(FACE, identity_id=ANN), (ann(1, 0, 0),), "is Ann"),
        (replace(FACE, quality=0.05), (), "not compared"),
        (FACE, (), "2 more like it"),
        (FACE, (ann(0.3, 1, 0),), "like nobody"),
        (replace(FACE, box=Box(0, 0, 39, 90)), (), "too small to found"),
        (replace(FACE, quality=0.2), (), "not good enough to found"),
        (FACE, (ann(1, 1, 0), bob(1, 1.01, 0)), "between two people"),
        (FACE, (ann(1, 0.2, 0), bob(0.1, 1, 0)), "joins Ann"),
        (FACE, (ann(1, 1.5, 0, in_frame=True),), "like nobody"),
    ],
)
def test_the_verdict_says_what_decided(
    detection: Detection, people: tuple[NearPerson, ...], verdict: str
) -> None:
    assert verdict in told(detection, *people).verdict


def test_the_nearest_three_come_with_their_margin() -> None:
    others = [bob(0.1, 1, 0), bob(0.2, 1, 0), bob(0, 1, 0)]

    explained = told(FACE, ann(1, 0.2, 0), *others)

    assert [near.name for near in explained.nearest] == ["Ann", "Bob", "Bob"]
    assert explained.margin == pytest.approx(
        explained.nearest[0].score - explained.nearest[1].score
    )


def test_a_dropped_detection_is_like_nobody() -> None:
    explained = told(replace(FACE, embedding=None, reason="blurred"), ann(1, 0, 0))

    assert (explained.nearest, explained.margin) == ((), None)


def test_detections_are_told_from_left_to_right() -> None:
    right = replace(FACE, box=Box(100, 0, 160, 60))
    later = replace(FACE, frame_seconds=3.0)

    found = explain(Told([later, right, FACE]), ContentKey("sha256:0"), "fake", RULES)

    assert [each.detection for each in found] == [FACE, right, later]
