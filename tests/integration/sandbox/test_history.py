"""Reading: offsets, id spaces, media of every kind."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import errors, functions, types, utils

from telegram_sandbox import PLACEHOLDER_COUNT, Sandbox, Scenario
from telegram_sandbox.methods.history import slice_history
from telegram_sandbox.scenario import START

from .story import JPEG, MP4, Story


def page(peer: Any, **given_values: Any) -> Any:
    values = {
        "offset_id": 0,
        "offset_date": None,
        "add_offset": 0,
        "limit": 100,
        "max_id": 0,
        "min_id": 0,
        "hash": 0,
    }
    return functions.messages.GetHistoryRequest(peer, **(values | given_values))


@given(
    ids=st.sets(st.integers(1, 60)),
    offset_id=st.integers(0, 65),
    add_offset=st.integers(-70, 70),
    limit=st.integers(0, 130),
    max_id=st.integers(0, 65),
    min_id=st.integers(0, 65),
)
def test_a_page_is_cut_first_and_sieved_afterwards(
    ids: set[int], offset_id: int, add_offset: int, limit: int, max_id: int, min_id: int
) -> None:
    ascending = sorted(ids)
    records = [SimpleNamespace(id=each, date=START) for each in ascending]
    descending = ascending[::-1]
    first = sum(1 for each in descending if offset_id and each >= offset_id) + add_offset
    expected = [
        each
        for place, each in enumerate(descending)
        if first <= place < first + min(limit or 20, 100)
        and (not max_id or each < max_id)
        and (not min_id or each > min_id)
    ]

    cut = slice_history(
        ascending,
        records.__getitem__,
        offset_id=offset_id,
        offset_date=None,  # type: ignore[arg-type]
        add_offset=add_offset,
        limit=limit,
        max_id=max_id,
        min_id=min_id,
    )

    assert [each.id for each in cut.messages] == expected


async def test_ids_of_a_group_are_dense_and_gaps_stay_gaps(client: Any, story: Story) -> None:
    first = story.family.text(story.tom, "one")
    story.family.skip_ids(25)
    second = story.family.text(story.tom, "two")

    found = await client.get_messages("family_demo", limit=None)

    assert (first.id, second.id) == (2, 28)
    assert [message.id for message in found] == [28, 2, 1]


async def test_private_chats_share_one_sparse_id_space(client: Any, story: Story) -> None:
    other = story.scenario.private_chat(story.mia, story.ben)
    ids = [
        story.private.text(story.tom, "a").id,
        other.text(story.ben, "b").id,
        story.private.text(story.mia, "c").id,
    ]
    await client.get_dialogs()

    found = await client.get_messages(story.tom.id, limit=None)

    assert ids == [1, 2, 3]
    assert [(m.id, m.out, m.sender_id) for m in found] == [
        (3, True, story.mia.id),
        (1, False, story.tom.id),
    ]


async def test_each_side_of_a_private_chat_has_ids_of_its_own(
    connect: Any, client: Any, story: Story
) -> None:
    story.private.text(story.tom, "only Mia's")
    both = story.scenario.private_chat(story.mia, story.ben)
    mine = both.text(story.mia, "to Ben")
    ben = await connect(story.ben)
    await ben.get_dialogs()

    theirs = await ben.get_messages(story.mia.id)

    assert (mine.id, theirs[0].id, theirs[0].text) == (2, 1, "to Ben")


async def test_the_jump_finds_the_largest_id_below_and_the_oldest(
    client: Any, story: Story
) -> None:
    peer = await client.get_input_entity("family_demo")
    for number in range(250):
        story.family.text(story.tom, str(number))

    below = await client(page(peer, offset_id=100, limit=1))
    oldest = await client(page(peer, offset_id=1, add_offset=-1, limit=1))
    sieved = await client(page(peer, max_id=100, limit=100))

    assert [m.id for m in below.messages] == [99]
    assert [m.id for m in oldest.messages] == [1]
    assert (sieved.messages, sieved.count) == ([], 251)


async def test_an_offset_date_excludes_that_moment(client: Any, story: Story) -> None:
    early = story.family.text(story.tom, "early", date=START + timedelta(days=1))
    late = story.family.text(story.tom, "late", date=START + timedelta(days=2))
    peer = await client.get_input_entity("family_demo")

    found = await client(page(peer, offset_date=late.date, limit=1))

    assert found.messages[0].id == early.id


async def test_a_private_chat_may_report_a_placeholder_count(client: Any, story: Story) -> None:
    chat = story.scenario.private_chat(story.mia, story.tom, placeholder_count=PLACEHOLDER_COUNT)
    chat.text(story.tom, "hi")
    await client.get_dialogs()

    found = await client.get_messages(story.tom.id)

    assert (found.total, len(found)) == (PLACEHOLDER_COUNT, 1)


async def test_every_kind_of_media_arrives_as_telegram_sends_it(client: Any, story: Story) -> None:
    f, tom = story.family, story.tom
    original = f.photo(tom, JPEG, caption="hello")
    made = {
        "photo": original,
        "video": f.video(tom, MP4, duration=3, width=64, height=48),
        "video_note": f.video(tom, MP4, round=True),
        "gif": f.gif(tom, MP4),
        "sticker": f.sticker(tom, b"webp"),
        "voice": f.audio(tom, b"ogg", voice=True),
        "audio": f.audio(tom, b"mp3"),
        "document": f.document(tom, JPEG, mime_type="image/jpeg", file_name="a.jpg"),
        "poll": f.poll(tom, "q", ["a", "b"]),
        "contact": f.contact(tom, "+1", "Ann"),
        "geo": f.geo(tom, 1.0, 2.0),
        "web_preview": f.web_page(tom, "https://example.org", photo=JPEG),
        "forward": f.forward(tom, original),
        "action": f.service(tom),
    }

    for name, record in made.items():
        message = await client.get_messages("family_demo", ids=record.id)
        assert getattr(message, name), name

    forwarded = await client.get_messages("family_demo", ids=made["forward"].id)
    first = await client.get_messages("family_demo", ids=original.id)
    assert forwarded.photo.id == first.photo.id
    assert (first.text, first.sender.first_name) == ("hello", "Tom")


async def test_what_cannot_be_had_says_so(client: Any, story: Story) -> None:
    f, tom = story.family, story.tom
    seen = f.view_once_photo(tom, JPEG, expired=True)
    unseen = f.view_once_photo(tom, JPEG)
    locked = f.paid(tom, [JPEG])
    bought = f.paid(tom, [JPEG], buyers=[story.mia])
    ids = [seen.id, unseen.id, locked.id, bought.id]

    gone, there, preview, media = await client.get_messages("family_demo", ids=ids)

    assert gone.media.photo is None
    assert there.media.photo
    assert (gone.media.ttl_seconds, there.media.ttl_seconds) == (2**31 - 1, 2**31 - 1)
    assert isinstance(preview.media.extended_media[0], types.MessageExtendedMediaPreview)
    assert media.media.extended_media[0].media.photo


async def test_messages_that_are_gone_come_back_empty(client: Any, story: Story) -> None:
    message = story.family.text(story.tom, "soon gone")
    story.family.delete(message)

    assert await client.get_messages("family_demo", ids=[message.id, 999]) == [None, None]


async def test_an_album_and_replies_keep_their_ties(client: Any, story: Story) -> None:
    album = story.family.album(story.tom, [JPEG, JPEG], caption="two")
    reply = story.family.text(story.tom, "nice", reply_to=album[0])

    found = await client.get_messages("family_demo", ids=[m.id for m in album] + [reply.id])

    assert found[0].grouped_id == found[1].grouped_id != None  # noqa: E711
    assert found[2].reply_to.reply_to_msg_id == album[0].id


async def test_a_fresh_session_must_learn_the_access_hash(client: Any, story: Story) -> None:
    with pytest.raises(errors.ChannelInvalidError):
        await client(page(types.InputPeerChannel(story.family.record.id, 0)))


async def test_an_outsider_is_kept_out_and_the_invite_shows_what_it_leads_to(
    connect: Any, client: Any, story: Story
) -> None:
    ben = await connect(story.ben)
    secret = story.news
    code = secret.invite_link.rpartition("+")[2]

    outside = await ben(functions.messages.CheckChatInviteRequest(code))
    inside = await client(functions.messages.CheckChatInviteRequest(code))
    await ben(functions.messages.ImportChatInviteRequest(code))
    await ben.get_dialogs()

    assert (outside.title, outside.broadcast) == ("News", True)
    assert utils.get_peer_id(inside.chat) == secret.id
    assert (await ben.get_entity(secret.id)).title == "News"


async def test_dialogs_come_page_by_page_once_each(client: Any, story: Story) -> None:
    groups = [story.scenario.supergroup(f"G{number}", owner=story.mia) for number in range(120)]

    dialogs = await client.get_dialogs()

    assert len({d.id for d in dialogs}) == len(dialogs) == len(groups) + 3


async def test_dialogs_whose_newest_messages_share_a_second_are_all_listed(
    client: Any, story: Story
) -> None:
    groups = [story.scenario.supergroup(f"G{number}", owner=story.mia) for number in range(120)]
    moment = START + timedelta(days=1)
    for number, group in enumerate(groups):
        # Set past the handle, which would cut fractions of a second off.
        group.text(story.mia, "at once").date = moment + timedelta(microseconds=7919 * number)

    dialogs = await client.get_dialogs()

    assert {group.id for group in groups} <= {dialog.id for dialog in dialogs}
    assert len(dialogs) == len(groups) + 3


async def test_a_jump_by_date_starts_before_it_and_reaches_after_it(
    client: Any, story: Story
) -> None:
    days = [START + timedelta(days=number) for number in range(1, 11)]
    ids = [story.family.text(story.tom, "daily", date=day).id for day in days]
    peer = await client.get_input_entity("family_demo")

    before = await client(page(peer, offset_date=days[5], limit=3))
    around = await client(page(peer, offset_date=days[5], add_offset=-3, limit=3))
    by_id = await client(page(peer, offset_date=days[5], offset_id=ids[2], limit=1))
    too_early = await client(page(peer, offset_date=START - timedelta(days=1), limit=3))

    assert [m.id for m in before.messages] == [ids[4], ids[3], ids[2]]
    assert [m.id for m in around.messages] == [ids[7], ids[6], ids[5]]
    assert [m.id for m in by_id.messages] == [ids[1]]
    assert (too_early.messages, before.offset_id_offset) == ([], 5)


async def test_media_are_counted_by_kind(client: Any, story: Story) -> None:
    story.family.photo(story.tom, JPEG)
    story.family.video(story.tom, MP4)
    story.family.video(story.tom, MP4)
    filters = [types.InputMessagesFilterPhotos(), types.InputMessagesFilterVideo()]

    counters = await client(functions.messages.GetSearchCountersRequest("family_demo", filters))
    videos = await client.get_messages("family_demo", filter=filters[1])

    assert [each.count for each in counters] == [1, 2]
    assert videos.total == 2


async def test_a_page_can_be_made_short(client: Any, sandbox: Sandbox, story: Story) -> None:
    for number in range(150):
        story.family.text(story.tom, str(number))
    peer = await client.get_input_entity("family_demo")
    sandbox.faults.short_page(37)

    short = await client(page(peer))
    full = await client(page(peer, offset_id=short.messages[-1].id))

    assert (len(short.messages), len(full.messages)) == (37, 100)


def test_the_same_seed_gives_the_same_ids() -> None:
    def ids() -> list[int]:
        s = Scenario(seed=7)
        mia = s.user("Mia", phone="+1")
        group = s.supergroup("G", owner=mia)
        photo = group.photo(mia, JPEG)
        return [mia.id, group.id, photo.media.file.id]  # type: ignore[union-attr]

    assert ids() == ids()


async def test_people_without_a_name_bots_and_half_known_ones_are_told_apart(
    client: Any, story: Story
) -> None:
    gone = story.scenario.deleted_account()
    bot = story.scenario.user("Helper", bot=True)
    stranger = story.scenario.user("Sam", min_for_others=True)
    for sender in (gone, bot, stranger):
        story.family.text(sender, "hello")

    by_id = {m.sender_id: m.sender for m in await client.get_messages("family_demo", limit=3)}

    assert (by_id[gone.id].deleted, by_id[gone.id].first_name) == (True, None)
    assert by_id[bot.id].bot
    assert by_id[stranger.id].min
    with pytest.raises(errors.UserIdInvalidError):
        await client(
            functions.users.GetFullUserRequest(
                types.InputUser(stranger.id, by_id[stranger.id].access_hash)
            )
        )


async def test_a_basic_group_uses_the_id_space_of_each_account(
    connect: Any, client: Any, story: Story
) -> None:
    group = story.scenario.group("Old group", owner=story.mia, members=[story.ben, story.tom])
    story.private.text(story.tom, "takes Mia's id 1")
    mine = group.text(story.tom, "hi all")
    ben = await connect(story.ben)
    await ben.get_dialogs()
    await client.get_dialogs()

    seen_by_mia = await client.get_messages(group.id)
    seen_by_ben = await ben.get_messages(group.id)

    assert group.id < 0
    assert (mine.id, seen_by_mia[0].id, seen_by_ben[0].id) == (2, 2, 1)
    assert seen_by_ben[0].sender.first_name == "Tom"
