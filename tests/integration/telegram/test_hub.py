from __future__ import annotations

from dataclasses import replace

import pytest

from archive.errors import Permanent, Transient
from archive.ids import ChatNo, MessageId, TopicId
from archive.publishing import CopyRefused, HubRights, Post, PostMethod
from archive.records import Chat, ChatKind, MediaKind, Message, PeerInfo
from resources.telegram.client import TelegramAccount
from resources.telegram.errors import TelegramRefused
from resources.telegram.sessions import Lane
from telegram_sandbox import ChatHandle
from tests.integration.telegram.conftest import House, picture

CAPTION = 'Seen in <a href="https://t.me/c/1/2">Family &amp; friends</a>'
COLOR = 0x6FB9F0
BYTES_MOVE = {PostMethod.UPLOAD, PostMethod.CROP}


class Hall:
    """A hub of our own and a source chat with one photo and one video."""

    def __init__(self, house: House, account: TelegramAccount, hub: Chat, source: Chat) -> None:
        self.house = house
        self.account = account
        self.hub = hub
        self.source = source

    @property
    def state(self) -> ChatHandle:
        return self.house.sandbox.state.chat(self.hub.chat_id)

    async def message(self, message_id: int) -> Message:
        page = await self.account.history.messages(self.source, [MessageId(message_id)])
        return page.messages[0]

    async def post(self, method: PostMethod, *, random_id: int = 11, which: int = 2) -> Post:
        found = await self.message(which)
        data = picture(300, 200, "red") if method in BYTES_MOVE else None
        return Post(
            random_id,
            CAPTION,
            method,
            found.media,
            found.access,
            self.source,
            found.message_id,
            data,
        )


def as_chat(peer: PeerInfo, house: House, chat_no: int) -> Chat:
    return Chat(
        chat_no=ChatNo(chat_no),
        chat_id=peer.chat_id,
        account_id=house.me.id,  # type: ignore[arg-type]
        kind=peer.kind,
        title=peer.title,
        access_hash=peer.access_hash,
        is_forum=peer.is_forum,
    )


@pytest.fixture
async def hall(house: House) -> Hall:
    friend = house.scenario.user("Bob")
    group = house.scenario.supergroup("Family", owner=friend, members=[house.me])
    group.photo(friend, picture(), caption="a private joke")
    group.video(friend, b"video" * 100, file_name="trip.mp4")
    account = await house.open(Lane.PUBLISH)
    hub = as_chat(await account.hub.create("People"), house, 3)
    return Hall(house, account, hub, await house.chat(account, group))


async def topic(hall: Hall, title: str = "Person 1", random_id: int = 5) -> TopicId:
    return await hall.account.hub.create_topic(
        hall.hub, title=title, icon_color=COLOR, random_id=random_id
    )


async def test_a_new_hub_is_a_private_forum_in_which_we_may_do_everything(hall: Hall) -> None:
    assert (hall.hub.kind, hall.hub.is_forum) == (ChatKind.SUPERGROUP, True)
    assert hall.hub.access_hash is not None
    assert await hall.account.hub.inspect(hall.hub) == HubRights(
        is_forum=True, is_public=False, can_manage_topics=True, can_post=True, can_delete=True
    )


async def test_rights_that_were_taken_are_seen(house: House) -> None:
    friend = house.scenario.user("Bob")
    group = house.scenario.supergroup("Hub", owner=friend, members=[house.me], username="open_hub")
    account = await house.open(Lane.PUBLISH)
    chat = await house.chat(account, group)
    seen = await account.hub.inspect(chat)
    assert (seen.is_forum, seen.is_public, seen.can_delete) == (False, True, False)
    house.sandbox.restrict(group, house.me, send_messages=False, manage_topics=False)
    seen = await account.hub.inspect(chat)
    assert (seen.can_post, seen.can_manage_topics) == (False, False)


async def test_a_hub_we_were_removed_from_says_so(house: House) -> None:
    group = house.scenario.supergroup("Hub", owner=house.scenario.user("Bob"), members=[house.me])
    account = await house.open(Lane.PUBLISH)
    chat = await house.chat(account, group)
    house.sandbox.remove_member(group, house.me)
    with pytest.raises(Permanent, match="not there for us"):
        await account.hub.inspect(chat)


async def test_all_topics_are_listed_over_pages_with_equal_titles_and_general(hall: Hall) -> None:
    for number in range(130):
        hall.state.topic(hall.house.me, f"Person {number % 65}")
    listed = await hall.account.topics.topics(hall.hub)
    expected = {topic.id: topic.title for topic in hall.state.topics}
    assert {info.topic_id: info.title for info in listed} == expected
    assert len(listed) == 131


async def test_a_topic_made_again_after_a_lost_answer_is_the_first_one(hall: Hall) -> None:
    hall.house.sandbox.faults.drop_after("messages.createForumTopic")
    first = await topic(hall)
    assert await topic(hall) == first
    assert [each.title for each in hall.state.topics] == ["General", "Person 1"]


async def test_a_topic_is_renamed_once_and_renaming_it_again_is_no_error(hall: Hall) -> None:
    made = await topic(hall)
    for _ in range(2):
        await hall.account.hub.edit_topic(hall.hub, made, title="Ada")
    assert hall.state.topics[-1].title == "Ada"


@pytest.mark.parametrize("method", list(PostMethod))
async def test_each_way_of_copying_posts_the_picture_with_its_caption(
    hall: Hall, method: PostMethod
) -> None:
    made = await topic(hall)
    post = await hall.post(method)
    sent = await hall.account.hub.send(hall.hub, made, post)
    message = hall.state.message(sent)
    assert (message.topic_id, message.text) == (made, "Seen in Family & friends")
    assert [entity.url for entity in message.entities] == ["https://t.me/c/1/2"]
    assert message.forward is None
    same_file = method not in BYTES_MOVE
    found = (await hall.message(2)).media
    assert found is not None
    assert (f"photo:{message.media.file.id}" == found.media_id) is same_file  # type: ignore[union-attr]


@pytest.mark.parametrize("method", list(PostMethod))
async def test_a_lost_answer_and_a_repeated_post_leave_one_message(
    hall: Hall, method: PostMethod
) -> None:
    made = await topic(hall)
    forwarded = method is PostMethod.FORWARD
    hall.house.sandbox.faults.drop_after(
        "messages.forwardMessages" if forwarded else "messages.sendMedia"
    )
    post = await hall.post(method)
    first = await hall.account.hub.send(hall.hub, made, post)
    again = await hall.account.hub.send(hall.hub, made, post)
    assert first == again
    posts = [each for each in hall.state.messages if each.media is not None]
    assert [each.id for each in posts] == [first]


async def test_a_caption_lost_after_a_forward_arrives_with_the_repeated_post(hall: Hall) -> None:
    made = await topic(hall)
    post = await hall.post(PostMethod.FORWARD)
    hall.house.sandbox.faults.error("messages.editMessage", "FLOOD_WAIT_90")
    with pytest.raises(Transient):
        await hall.account.hub.send(hall.hub, made, post)
    assert [m.text for m in hall.state.messages if m.media is not None] == [""]
    hall.account.hub._call.client._flood_waited_requests.clear()
    await hall.account.hub.send(hall.hub, made, post)
    texts = [m.text for m in hall.state.messages if m.media is not None]
    assert texts == ["Seen in Family & friends"]


async def test_a_post_into_general_names_no_topic(hall: Hall) -> None:
    sent = await hall.account.hub.send(hall.hub, TopicId(1), await hall.post(PostMethod.REFERENCE))
    assert hall.state.message(sent).topic_id is None


async def test_a_stale_reference_is_renewed_from_the_source_message(hall: Hall) -> None:
    made = await topic(hall)
    post = await hall.post(PostMethod.REFERENCE)
    hall.house.sandbox.expire_file_references()
    sent = await hall.account.hub.send(hall.hub, made, post)
    assert hall.state.message(sent).media is not None


async def test_a_stale_reference_whose_message_is_gone_refuses_the_copy(hall: Hall) -> None:
    made = await topic(hall)
    post = await hall.post(PostMethod.REFERENCE)
    source = hall.house.sandbox.state.chat(hall.source.chat_id)
    hall.house.sandbox.expire_file_references()
    source.delete(source.message(2))
    with pytest.raises(CopyRefused) as refused:
        await hall.account.hub.send(hall.hub, made, post)
    assert refused.value.code == "FILE_REFERENCE_EXPIRED"


@pytest.mark.parametrize("method", [PostMethod.REFERENCE, PostMethod.FORWARD])
async def test_protected_content_refuses_the_copy(hall: Hall, method: PostMethod) -> None:
    made = await topic(hall)
    post = await hall.post(method)
    hall.house.sandbox.state.chat(hall.source.chat_id).record.noforwards = True
    with pytest.raises(CopyRefused) as refused:
        await hall.account.hub.send(hall.hub, made, post)
    assert refused.value.code == "CHAT_FORWARDS_RESTRICTED"
    assert [m for m in hall.state.messages if m.media is not None] == []


async def test_a_source_whose_key_is_not_known_refuses_the_forward(hall: Hall) -> None:
    post = await hall.post(PostMethod.FORWARD)
    unknown = replace(hall.source, access_hash=None)
    with pytest.raises(CopyRefused):
        await hall.account.hub.send(hall.hub, TopicId(1), replace(post, source_chat=unknown))


async def test_a_hub_that_refuses_us_is_no_refused_copy(hall: Hall) -> None:
    made = await topic(hall)
    post = await hall.post(PostMethod.REFERENCE)
    hall.house.sandbox.faults.error("messages.sendMedia", "CHAT_WRITE_FORBIDDEN")
    with pytest.raises(TelegramRefused, match="may not write"):
        await hall.account.hub.send(hall.hub, made, post)


async def test_a_first_call_that_still_runs_is_waited_for_by_the_caller(hall: Hall) -> None:
    made = await topic(hall)
    post = await hall.post(PostMethod.REFERENCE)
    hall.house.sandbox.faults.error("messages.sendMedia", "RANDOM_ID_DUPLICATE", times=None)
    with pytest.raises(Transient) as running:
        await hall.account.hub.send(hall.hub, made, post)
    assert running.value.retry_after_seconds == 2.0


async def test_a_video_is_uploaded_as_a_video_in_parts(hall: Hall) -> None:
    made = await topic(hall)
    data = bytes(range(256)) * 4096
    post = replace(
        await hall.post(PostMethod.REFERENCE, which=3), method=PostMethod.UPLOAD, data=data
    )
    sent = await hall.account.hub.send(hall.hub, made, post)
    assert hall.state.message(sent).media.file.data == data  # type: ignore[union-attr]
    page = await hall.account.history.messages(hall.hub, [sent])
    file = page.messages[0].media
    assert file is not None
    assert (file.kind, file.mime_type, file.file_name) == (
        MediaKind.VIDEO,
        "video/mp4",
        "video.mp4",
    )


async def test_an_empty_upload_is_refused_before_it_is_sent(hall: Hall) -> None:
    post = replace(await hall.post(PostMethod.UPLOAD), data=b"")
    with pytest.raises(Permanent, match="empty file"):
        await hall.account.hub.send(hall.hub, TopicId(1), post)


async def test_posting_fetches_no_differences_of_the_hub(hall: Hall) -> None:
    made = await topic(hall)
    before = hall.house.sandbox.state.requests.copy()
    for random_id in range(20, 25):
        hall.state.text(hall.house.me, "from another device")
        post = await hall.post(PostMethod.REFERENCE, random_id=random_id)
        await hall.account.hub.send(hall.hub, made, post)
    asked = hall.house.sandbox.state.requests - before
    assert asked == {"messages.sendMedia": 5, "channels.getMessages": 5}
