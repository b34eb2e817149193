"""Albums with the real store, the real Telethon and the loopback Telegram."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from archive.errors import Transient
from archive.publishing import Hub
from resources.store.database import Database
from telegram_sandbox import ChatHandle
from tests.integration.publishing_stage import Died, Stage, picture, shown, stage

ALBUM = "messages.sendMultiMedia"
POINTS = ("before the call", "after the call", "after the record")


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    """Person 1 is in photos 1, 2 and 3, which were one album."""
    async with stage(database, tmp_path) as found:
        found.rows.run("UPDATE messages SET grouped_id = 77 WHERE message_id <= 4")
        yield found


@pytest.fixture
def hub(house: Stage) -> Hub:
    return house.hub(house.people)


def groups(handle: ChatHandle) -> list[int]:
    """How many posts each album of a forum has."""
    found = [m.grouped_id for m in handle.messages if m.grouped_id is not None]
    return sorted(found.count(group) for group in set(found))


async def test_an_album_is_posted_as_one_with_a_caption_each(house: Stage, hub: Hub) -> None:
    result = await house.publish(hub)
    assert (result.sent, result.counts["reference"]) == (9, 6)
    assert groups(house.people) == [3]
    posts = shown(house.people)["Person 1 ffd67e"]
    assert [data for _, data in posts] == [picture(1), picture(2), picture(3)]
    assert all("Family" in text for text, _ in posts)
    assert (await house.publish(hub)).sent == 0


async def test_dying_around_every_operation_doubles_nothing_of_an_album(house: Stage) -> None:
    whole = house.hub(house.others)
    await house.publish(whole)
    hub = house.hub(house.people)
    for deaths in range(100):
        try:
            await house.publish(hub, dies=POINTS[deaths % len(POINTS)])
        except Died:
            for posts in shown(house.people).values():
                assert len(posts) == len(set(posts))
        else:
            break
    assert shown(house.people) == shown(house.others)
    assert groups(house.people) == [3]
    assert (await house.publish(hub)).sent == 0


async def test_a_lost_answer_repeats_the_album(house: Stage, hub: Hub) -> None:
    house.sandbox.faults.drop_after(ALBUM, first=1)
    try:
        await house.publish(hub)
    except Transient:
        await house.publish(hub)
    assert groups(house.people) == [3]
    await house.publish(house.hub(house.others))
    assert shown(house.people) == shown(house.others)


async def test_a_refused_album_is_posted_one_by_one(house: Stage, hub: Hub) -> None:
    house.sandbox.faults.error(ALBUM, "MEDIA_GROUPED_INVALID", times=None)
    assert (await house.publish(hub)).sent == 9
    assert groups(house.people) == []
    assert len(shown(house.people)["Person 1 ffd67e"]) == 3


async def test_expired_references_of_an_album_are_renewed(house: Stage, hub: Hub) -> None:
    house.sandbox.expire_file_references(*house.family.messages[-6:])
    assert (await house.publish(hub)).counts["reference"] == 6
    assert groups(house.people) == [3]


async def test_one_picture_leaves_an_album_by_itself(house: Stage, hub: Hub) -> None:
    await house.publish(hub)
    house.rows.run(
        "DELETE FROM assignments USING faces WHERE assignments.face_id = faces.face_id "
        "AND faces.content_key = %s",
        "sha256:" + f"{2:064x}",
    )
    await house.publish(hub)
    posts = shown(house.people)["Person 1 ffd67e"]
    assert [data for _, data in posts] == [picture(1), picture(3)]
