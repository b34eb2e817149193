"""A man in a video and in a photo is one person; whoever is with him there is not drawn in."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from archive.ids import content_key
from cli.demo.scenario import PHONE, DemoWorld
from telegram_sandbox import Scenario
from tests.fixtures.hubs import hub_of
from tests.fixtures.installation import Install, Installation, shared_pack

CLIP = "hamilton_clip.mp4"
HIM = "lin-manuel-miranda.png"
ANOTHER = "alex-lacamoire.png"

_FACES = """
SELECT faces.content_key, faces.frame_seconds, identities.number
FROM faces
LEFT JOIN assignments USING (face_id)
LEFT JOIN identities USING (identity_id)
"""


@pytest.fixture(scope="module")
def installation(shared_data: Path, install: Install) -> Iterator[Installation]:
    """A chat of the clip and the two photos, gone through once."""
    scenario = Scenario(seed=3)
    owner = scenario.user("Nora", phone=PHONE)
    chat = scenario.supergroup("Musicals", owner=owner)
    video = shared_data / "video"
    for name in (HIM, ANOTHER):
        data = (video / name).read_bytes()
        chat.document(owner, data, file_name=name, mime_type="image/png")
    clip = (video / CLIP).read_bytes()
    chat.video(owner, clip, duration=9.2, width=640, height=360)
    settings = {**shared_pack(shared_data), "FACE_ARCHIVE_MIN_FACES": "2"}
    with install(DemoWorld(scenario, (chat.id,)), **settings) as made:
        made.materialize(made.set_up())
        yield made


@pytest.fixture(scope="module")
def people(installation: Installation, shared_data: Path) -> dict[str, list[tuple[float, object]]]:
    """When and as whom each face of each file was seen, by the file's name."""
    video = shared_data / "video"
    names = {
        content_key(sha256((video / name).read_bytes()).digest()): name
        for name in (CLIP, HIM, ANOTHER)
    }
    found: dict[str, list[tuple[float, object]]] = {name: [] for name in names.values()}
    with installation.toolbox.database.transaction() as connection:
        for key, seconds, number in connection.execute(_FACES):
            found[names[key]].append((seconds, number))
    return found


def test_the_man_of_the_video_is_one_identity_with_his_photo(
    people: dict[str, list[tuple[float, object]]],
) -> None:
    assert [number for _, number in people[HIM]] == [1]
    as_him = [seconds for seconds, number in people[CLIP] if number == 1]
    assert as_him
    assert all(3.8 <= seconds <= 8.0 for seconds in as_him)


def test_the_other_man_is_not_drawn_in_and_the_crowd_founds_nobody(
    people: dict[str, list[tuple[float, object]]],
) -> None:
    assert [number for _, number in people[ANOTHER]] == [None]
    crowd = [number for seconds, number in people[CLIP] if seconds > 8.0]
    assert crowd
    assert set(crowd) == {None}
    assert {number for faces in people.values() for _, number in faces} == {1, None}


def test_his_topic_shows_the_video_and_the_photo(installation: Installation) -> None:
    hub = hub_of(installation)
    assert list(hub) == ["Person 1"]
    assert len({post.content_key for post in hub["Person 1"]}) == len(hub["Person 1"]) == 2
