"""What an update brings of a hub, and who Telegram says has a say in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import types

from archive.ids import AccountId, ChatId, ChatNo
from archive.records import Chat, ChatKind
from archive.remarks import Remark, RemarkKind
from resources.telegram.errors import TelegramRefused
from resources.telegram.remarks import remarks_in
from tests.integration.telegram.conftest import House
from tests.integration.telegram.test_feed import listening

BOB = types.PeerUser(7)
SAID_AT = datetime(2026, 11, 20, 12, 0, 1, tzinfo=UTC)
HUB = Chat(
    chat_no=ChatNo(3),
    chat_id=ChatId(-1_000_000_000_055),
    account_id=AccountId(1),
    kind=ChatKind.SUPERGROUP,
    title="People",
    is_hub=True,
)
IN_TOPIC = types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=20)
IN_ANSWER = types.MessageReplyHeader(forum_topic=True, reply_to_msg_id=31, reply_to_top_id=20)

PHOTO = types.Photo(
    id=1,
    access_hash=2,
    file_reference=b"",
    date=SAID_AT,
    sizes=[types.PhotoSize("y", 80, 60, 900)],
    dc_id=2,
)


def said(text: str, **more: Any) -> Any:
    parts = {"from_id": BOB, "reply_to": IN_TOPIC, "peer_id": types.PeerChannel(55)} | more
    return types.Message(id=40, date=SAID_AT, message=text, **parts)


def renamed(**changes: Any) -> Any:
    action = types.MessageActionTopicEdit(**changes)
    peer = types.PeerChannel(55)
    return types.MessageService(
        id=40, peer_id=peer, date=SAID_AT, action=action, from_id=BOB, reply_to=IN_TOPIC
    )


def heard(message: Any) -> list[Remark]:
    update = types.UpdateNewChannelMessage(message, 1, 1)
    return list(remarks_in(update, {HUB.chat_id: HUB}))


def test_a_command_comes_with_who_said_it_where_and_to_what() -> None:
    (remark,) = heard(said("/NAME  Ada\n", reply_to=IN_ANSWER))

    assert remark == Remark(
        HUB.chat_id,
        20,
        40,
        7,
        RemarkKind.COMMAND,
        "/name Ada",
        SAID_AT,
        31,  # type: ignore[arg-type]
    )


def test_a_new_title_comes_as_it_is() -> None:
    (remark,) = heard(renamed(title=" A\u202eda\x00 "))

    assert (remark.kind, remark.text, remark.topic_id) == (RemarkKind.TITLE, " A\u202eda ", 20)


def test_an_admin_who_hides_their_name_is_called_by_the_hubs() -> None:
    for sender in (None, types.PeerChannel(55)):
        (remark,) = heard(said("/undo", from_id=sender))
        assert remark.sender_id == HUB.chat_id


@pytest.mark.parametrize(
    "message",
    [
        said("hello"),
        said("/undo", reply_to=None),
        said("/undo", peer_id=types.PeerChannel(56)),
        said("/undo", media=types.MessageMediaPhoto(photo=PHOTO)),
        renamed(closed=True),
        renamed(title=""),
        types.MessageEmpty(40, types.PeerChannel(55)),
    ],
)
def test_everything_else_of_a_hub_is_passed_over(message: Any) -> None:
    assert heard(message) == []


def test_an_edit_is_no_command() -> None:
    update = types.UpdateEditChannelMessage(said("/undo"), 1, 1)

    assert list(remarks_in(update, {HUB.chat_id: HUB})) == []


async def test_whoever_may_manage_topics_has_a_say(house: House) -> None:
    users = [house.scenario.user(name) for name in ("Bob", "Cleo", "Dan")]
    bob, cleo, dan = users
    hub = house.scenario.supergroup(
        "People",
        owner=house.me,
        members=[dan],
        admins={bob: ["manage_topics"], cleo: ["delete_messages"]},
        forum=True,
    )
    async with listening(house, hub) as ear:
        (chat,) = ear.chats.values()
        assert await ear.account.hub.admins(chat) == {house.me.id, bob.id}

        house.sandbox.faults.error("channels.getParticipants", "CHAT_ADMIN_REQUIRED")
        with pytest.raises(TelegramRefused):
            await ear.account.hub.admins(chat)
