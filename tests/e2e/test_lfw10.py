"""From a chat with a hundred photos of ten people to ten topics, through the real assets."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import LiteralString

import pytest

from archive.identity.metrics import bcubed
from archive.ids import ContentKey, content_key
from cli.demo.scenario import PHONE, DemoWorld
from telegram_sandbox import Scenario
from tests.fixtures.dumps import differences, dump
from tests.fixtures.hubs import Hub, hub_of
from tests.fixtures.installation import Install, Installation, shared_pack

SENDS = ("messages.sendMedia", "messages.forwardMessages", "messages.createForumTopic")

_LARGEST_FACES = """
SELECT DISTINCT ON (content_key) content_key, identities.number
FROM faces
LEFT JOIN assignments USING (face_id)
LEFT JOIN identities USING (identity_id)
ORDER BY content_key, (x2 - x1) * (y2 - y1) DESC
"""
_PEOPLE_OF_CONTENTS = """
SELECT identities.number, faces.content_key
FROM assignments JOIN faces USING (face_id) JOIN identities USING (identity_id)
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the first run left, and what it was made from.

    Attributes:
        names: Whom each photo shows, by content.
    """

    installation: Installation
    keys: list[str]
    names: dict[ContentKey, str]

    def rows(self, statement: LiteralString) -> list[tuple[object, ...]]:
        with self.installation.toolbox.database.transaction() as connection:
            return connection.execute(statement).fetchall()

    def largest_faces(self) -> dict[ContentKey, object]:
        """Give the number of the person, or None, on the largest face of each photo."""
        return {ContentKey(str(key)): number for key, number in self.rows(_LARGEST_FACES)}


@pytest.fixture(scope="module")
def outcome(shared_data: Path, install: Install) -> Iterator[Outcome]:
    photos = sorted((shared_data / "faces" / "lfw10").glob("*/*.jpg"))
    names = {content_key(sha256(p.read_bytes()).digest()): p.parent.name for p in photos}
    several = {"FACE_ARCHIVE_MEDIA_WORKERS": "2"}
    with install(_world(photos), **shared_pack(shared_data), **several) as installation:
        keys = installation.set_up()
        installation.materialize(keys)
        yield Outcome(installation, keys, names)


def _world(photos: list[Path]) -> DemoWorld:
    """Build a chat of the photos, shuffled, and forwards of thirty of them."""
    rng = random.Random(10)
    scenario = Scenario(seed=10)
    owner = scenario.user("Nora", phone=PHONE)
    friend = scenario.user("Ben")
    chat = scenario.supergroup("People in the news", owner=owner, members=[friend])
    sent = [chat.photo(owner, path.read_bytes()) for path in rng.sample(photos, len(photos))]
    for original in rng.sample(sent, 30):
        chat.forward(friend, original)
    return DemoWorld(scenario, (chat.id,))


def test_a_hundred_photos_and_thirty_forwards_are_a_hundred_contents_of_130_sources(
    outcome: Outcome,
) -> None:
    assert outcome.rows("SELECT count(*) FROM blobs") == [(100,)]
    assert outcome.rows("SELECT count(*) FROM content_sources") == [(130,)]
    assert outcome.installation.requests("upload.getFile") == 100


def test_each_of_ten_people_is_one_identity_and_bystanders_found_nobody(outcome: Outcome) -> None:
    people = outcome.largest_faces()
    truth = [outcome.names[key] for key in people]
    found = {name: set[object]() for name in truth}
    for key, number in people.items():
        found[outcome.names[key]].add(number)

    assert len(truth) == 100
    assert [len(numbers - {None}) for numbers in found.values()] == [1] * 10
    assert outcome.rows("SELECT count(*) FROM identities") == [(10,)]
    assert bcubed(truth, list(people.values())).f >= 0.97


def test_the_hub_holds_a_topic_for_each_identity_and_each_content_once_in_it(
    outcome: Outcome,
) -> None:
    expected: dict[str, set[object]] = {}
    for number, key in outcome.rows(_PEOPLE_OF_CONTENTS):
        expected.setdefault(f"Person {number}", set()).add(key)

    hub = hub_of(outcome.installation)

    assert {title: _contents(hub, title) for title in hub} == {
        title: Counter(contents) for title, contents in expected.items()
    }
    assert len(hub) == 10


def test_a_second_run_of_everything_posts_nothing_and_changes_nothing(outcome: Outcome) -> None:
    installation = outcome.installation
    database = installation.toolbox.database
    rows, hub = dump(database), hub_of(installation)
    sent = installation.requests(*SENDS)
    fetched = installation.requests("upload.getFile")

    installation.plan_again()
    installation.materialize(outcome.keys)

    assert differences(dump(database), rows) == {}
    assert hub_of(installation) == hub
    assert installation.requests(*SENDS) == sent
    assert installation.requests("upload.getFile") == fetched


def _contents(hub: Hub, title: str) -> Counter[str]:
    return Counter(post.content_key for post in hub[title])
