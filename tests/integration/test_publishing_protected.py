"""What may never be sent: protected content by any way, and anything to a chat that is no hub."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Permanent
from archive.publishing import Hub, HubNo, Operation
from resources.store.database import Database
from tests.integration.publishing_stage import Stage, shown, stage

PICTURES = (
    "messages.sendMedia",
    "messages.sendMultiMedia",
    "messages.forwardMessages",
    "upload.saveFilePart",
)
WRITES = (*PICTURES, "messages.sendMessage", "messages.createForumTopic")
Way = Callable[[Stage], None]


def by_reference(house: Stage) -> None:
    pass


def by_forward(house: Stage) -> None:
    house.sandbox.faults.error("messages.sendMedia", "MEDIA_INVALID", times=None)


def by_upload(house: Stage) -> None:
    by_forward(house)
    house.sandbox.faults.error("messages.forwardMessages", "MESSAGE_ID_INVALID", times=None)


def by_album(house: Stage) -> None:
    house.rows.run("UPDATE messages SET grouped_id = 77")


WAYS = [by_reference, by_forward, by_upload, by_album]


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database, tmp_path) as found:
        yield found


@pytest.fixture
def hub(house: Stage) -> Hub:
    return house.hub(house.people)


def protect(house: Stage) -> None:
    house.rows.run("UPDATE chats SET noforwards = true WHERE chat_no = 1")


@pytest.mark.parametrize("way", WAYS)
async def test_no_way_shows_a_chat_that_protects_its_content(
    house: Stage, hub: Hub, way: Way
) -> None:
    way(house)
    protect(house)
    await house.publish(hub)
    assert house.asked(*WRITES) == 0


@pytest.mark.parametrize("way", WAYS)
async def test_no_way_shows_a_chat_that_protects_its_content_since_the_plan_was_made(
    house: Stage, hub: Hub, way: Way
) -> None:
    way(house)

    def protect_first(operation: Operation) -> None:
        if str(operation).startswith("pin"):
            protect(house)

    await house.publish(hub, on_operation=protect_first)
    assert house.asked(*PICTURES) == 0
    await house.publish(hub)
    assert shown(house.people) == {}


async def test_what_was_shown_before_a_chat_protected_its_content_is_taken_back(
    house: Stage, hub: Hub
) -> None:
    await house.publish(hub)
    protect(house)
    await house.publish(hub)
    assert shown(house.people) == {}


async def test_a_message_that_protects_its_content_is_no_source(house: Stage, hub: Hub) -> None:
    house.rows.run("UPDATE messages SET raw = '{\"noforwards\": true}'")
    assert (await house.publish(hub)).sent == 0
    assert house.asked(*WRITES) == 0


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_is_ever_sent_to_a_chat_that_is_not_a_configured_hub(
    house: Stage, hub: Hub, way: Way
) -> None:
    way(house)
    before = {handle.id: len(handle.messages) for handle in (house.family, house.guest)}
    (first, *_) = house.store.projection(hub.hub_no).wanted
    source = first.contents[0].sources[0].chat
    with pytest.raises(Permanent, match="not a configured hub"):
        await house.publish(Hub(HubNo(1), source))
    await house.publish(replace(hub, chat=source))
    after = {handle.id: len(handle.messages) for handle in (house.family, house.guest)}
    assert after == before


async def test_a_chat_that_is_no_hub_any_more_receives_nothing(house: Stage, hub: Hub) -> None:
    house.rows.run("UPDATE chats SET is_hub = false WHERE chat_no = %s", hub.chat.chat_no)
    with pytest.raises(Permanent, match="not a configured hub"):
        await house.publish(hub)
    assert house.asked(*WRITES) == 0
