from __future__ import annotations

import json

import pytest
from telethon.tl import types

from archive.ids import ChatId, ChatNo, MediaId, MessageId
from archive.records import MediaKind, Message, MessageKind
from resources.telegram.convert_files import medium_of
from resources.telegram.convert_peers import chats_of, users_of
from tests.integration.telegram.conftest import House, picture

VIDEO = b"not decoded here" * 10


async def newest(house: House, make: str, *arguments: object, **options: object) -> Message:
    """Put one message into a group and read it back."""
    group = house.scenario.supergroup("Family", owner=house.me)
    getattr(group, make)(house.me, *arguments, **options)
    account = await house.open()
    page = await account.history.page(await house.chat(account, group), offset_id=0)
    return page.messages[0]


@pytest.mark.parametrize(
    ("make", "options", "kind"),
    [
        ("video", {}, MediaKind.VIDEO),
        ("video", {"round": True}, MediaKind.ROUND_VIDEO),
        ("gif", {}, MediaKind.GIF),
        ("document", {"mime_type": "image/png"}, MediaKind.IMAGE_DOCUMENT),
        ("document", {"mime_type": "video/mp4"}, MediaKind.VIDEO),
        ("document", {"mime_type": "application/pdf"}, MediaKind.DOCUMENT),
        ("sticker", {}, MediaKind.STICKER),
        ("sticker", {"mime_type": "video/webm"}, MediaKind.STICKER),
        ("audio", {}, MediaKind.AUDIO),
        ("audio", {"voice": True}, MediaKind.VOICE),
    ],
)
async def test_a_documents_kind_follows_from_its_attributes(
    house: House, make: str, options: dict[str, object], kind: MediaKind
) -> None:
    message = await newest(house, make, VIDEO, **options)
    assert message.kind is MessageKind.MEDIA
    assert message.media is not None
    assert message.media.kind is kind
    assert message.media.media_id.startswith("document:")
    assert message.media.size_bytes == len(VIDEO)
    assert message.access is not None
    assert message.access.media_id == message.media.media_id


async def test_a_photo_is_known_by_its_largest_size(house: House) -> None:
    data = picture(1000, 700)
    message = await newest(house, "photo", data, caption="us")
    assert message.text == "us"
    assert message.media is not None
    assert message.media.kind is MediaKind.PHOTO
    assert message.media.media_id.startswith("photo:")
    assert (message.media.width, message.media.height) == (1000, 700)
    assert (message.media.variant, message.media.size_bytes) == ("y", len(data))


def test_of_a_live_photo_the_still_is_the_medium() -> None:
    still = types.Photo(
        7, 1, b"ref", None, [types.PhotoSize("y", 640, 480, 1000)], 2, has_stickers=False
    )
    moving = types.Document(8, 1, b"ref", None, "video/quicktime", 9000, 2, [])

    medium = medium_of(
        types.MessageMediaPhoto(live_photo=True, photo=still, video=moving),
        ChatNo(1),
        MessageId(1),
    )

    assert medium is not None
    assert (medium.file.kind, medium.file.media_id) == (MediaKind.PHOTO, "photo:7")
    assert medium.access is not None


async def test_a_video_keeps_duration_name_and_size(house: House) -> None:
    message = await newest(
        house, "video", VIDEO, duration=7.5, width=320, height=240, file_name="trip.mp4"
    )
    assert message.media is not None
    assert message.media.duration_seconds == 7.5
    assert (message.media.width, message.media.height) == (320, 240)
    assert message.media.file_name == "trip.mp4"
    assert message.media.mime_type == "video/mp4"


@pytest.mark.parametrize("make", ["view_once_photo", "view_once_video"])
async def test_view_once_media_come_without_access(house: House, make: str) -> None:
    message = await newest(house, make, picture())
    assert message.media is not None
    assert message.media.kind is MediaKind.VIEW_ONCE
    assert message.access is None


@pytest.mark.parametrize("make", ["view_once_photo", "view_once_video"])
async def test_an_expired_view_once_medium_is_named_by_its_message(house: House, make: str) -> None:
    message = await newest(house, make, picture(), expired=True)
    assert message.kind is MessageKind.MEDIA
    assert message.media is not None
    assert message.media.kind is MediaKind.VIEW_ONCE
    assert message.media.media_id == MediaId(f"message:7:{message.message_id}")
    assert message.media.size_bytes is None


async def test_paid_media_are_named_by_their_message(house: House) -> None:
    message = await newest(house, "paid", [picture()])
    assert message.media is not None
    assert message.media.kind is MediaKind.PAID
    assert message.media.media_id == MediaId(f"message:7:{message.message_id}")
    assert message.access is None


@pytest.mark.parametrize(
    ("make", "arguments", "options"),
    [
        ("web_page", ("https://example.org",), {"title": "A page", "photo": picture()}),
        ("poll", ("Where to?", ["Alps", "Sea"]), {}),
        ("contact", ("+491701111111", "Bob"), {}),
        ("geo", (47.5, 11.1), {}),
        ("text", ("hello",), {}),
    ],
)
async def test_what_the_message_does_not_carry_itself_is_no_medium_of_it(
    house: House, make: str, arguments: tuple[object, ...], options: dict[str, object]
) -> None:
    message = await newest(house, make, *arguments, **options)
    assert message.kind is MessageKind.TEXT
    assert message.media is None


async def test_a_service_message_is_kept_as_such(house: House) -> None:
    message = await newest(house, "service")
    assert message.kind is MessageKind.SERVICE
    assert json.loads(message.raw)["action"]["_"] == "MessageActionChatEditTitle"


async def test_the_raw_object_is_compact_and_holds_no_secret(house: House) -> None:
    message = await newest(house, "photo", picture(), caption="x\x00y")
    assert message.access is not None
    assert str(message.access.access_hash) not in message.raw
    assert "file_reference" not in message.raw
    assert "null" not in message.raw
    assert "false" not in message.raw
    assert ": " not in message.raw
    assert json.loads(message.raw)["message"] == message.text == "xy"


async def test_replies_and_topics_are_told_apart(house: House) -> None:
    forum = house.scenario.supergroup("Forum", owner=house.me, forum=True)
    topic = forum.topic(house.me, "Trips")
    in_general = forum.text(house.me, "in General")
    in_topic = forum.text(house.me, "in the topic", topic=topic)
    answer = forum.text(house.me, "an answer there", topic=topic, reply_to=in_topic)
    account = await house.open()
    page = await account.history.page(await house.chat(account, forum), offset_id=0)
    by_id = {message.message_id: message for message in page.messages}
    where = {int(mid): (m.topic_id, m.reply_to_id) for mid, m in by_id.items()}
    assert where[in_general.id] == (None, None)
    assert where[topic.id] == (topic.id, None)
    assert where[in_topic.id] == (topic.id, None)
    assert where[answer.id] == (topic.id, in_topic.id)


async def test_a_reply_outside_forums_is_in_no_topic(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    question = group.text(house.me, "when?")
    group.text(house.me, "now", reply_to=question)
    account = await house.open()
    page = await account.history.page(await house.chat(account, group), offset_id=0)
    assert (page.messages[0].reply_to_id, page.messages[0].topic_id) == (question.id, None)


async def test_a_forward_says_where_it_came_from(house: House) -> None:
    channel = house.scenario.channel("News", owner=house.me)
    post = channel.photo(house.me, picture())
    group = house.scenario.supergroup("Family", owner=house.me)
    group.forward(house.me, post)
    account = await house.open()
    chat = await house.chat(account, group)
    original = await account.history.page(await house.chat(account, channel), offset_id=0)
    forward = (await account.history.page(chat, offset_id=0)).messages[0]
    assert forward.forwarded_from == channel.id
    assert forward.forwarded_message_id == post.id
    assert forward.forwarded_at == post.date.replace(microsecond=0)
    assert forward.media == original.messages[0].media


async def test_an_album_shares_one_grouped_id(house: House) -> None:
    group = house.scenario.supergroup("Family", owner=house.me)
    group.album(house.me, [picture(), picture(color="red")])
    account = await house.open()
    page = await account.history.page(await house.chat(account, group), offset_id=0)
    grouped = {message.grouped_id for message in page.messages[:2]}
    assert len(grouped) == 1
    assert None not in grouped


def test_a_min_constructor_brings_no_access_hash() -> None:
    channel = types.Channel(
        id=5,
        title="News",
        photo=types.ChatPhotoEmpty(),
        date=None,
        broadcast=True,
        min=True,
        access_hash=99,
    )
    (peer,) = chats_of([channel, types.ChatEmpty(id=6)])
    assert (peer.chat_id, peer.access_hash) == (ChatId(-1000000000005), None)


def test_users_without_a_name_are_kept_and_empty_ones_left_out() -> None:
    people = [types.User(id=5, deleted=True), types.UserEmpty(id=6), types.User(id=7, bot=True)]
    gone, bot = users_of(people)
    assert (gone.is_deleted, gone.first_name, bot.is_bot) == (True, None, True)


def test_the_first_active_of_several_usernames_counts() -> None:
    names = [types.Username("old", active=False), types.Username("new", active=True)]
    (user,) = users_of([types.User(id=5, usernames=names)])
    assert user.username == "new"
