"""What somebody does to a hub by hand is found and undone: real store, real Telethon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest

from archive.errors import Transient
from archive.publishing import Finding, Hub, ReadBackOptions, ReadBackResult, read_back
from resources.store.database import Database
from telegram_sandbox import ChatHandle, Message
from telegram_sandbox.records import Topic
from tests.integration.publishing_stage import Stage, picture, seen, stage


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database, tmp_path) as found:
        yield found


@pytest.fixture
async def hub(house: Stage) -> Hub:
    hub = house.hub(house.people)
    await house.publish(hub)
    return hub


async def look(
    house: Stage,
    hub: Hub,
    *,
    max_requests: int | None = None,
    found: list[str] | None = None,
) -> ReadBackResult:
    told: list[str] = [] if found is None else found

    def keep(finding: Finding) -> None:
        told.append(str(finding))

    return await read_back(
        house.store,
        house.account.hub,
        hub,
        ReadBackOptions(max_requests),
        remarks=house.remarks,
        on_finding=keep,
    )


async def undone(house: Stage, hub: Hub, before: dict[str, object]) -> None:
    """Publish once: everything is as it was, and a second time has nothing to do."""
    await house.publish(hub)
    assert (await house.publish(hub)).done == 0
    assert contents(house.people) == before
    assert (await look(house, hub)).drifted == 0


def contents(handle: ChatHandle) -> dict[str, object]:
    """All a member sees of each topic, whatever its order: what is posted again comes last."""
    return {title: sorted(messages, key=repr) for title, messages in seen(handle).items()}


def topic(house: Stage, title: str) -> Topic:
    return next(each for each in house.people.topics if each.title == title)


def ours(house: Stage, title: str) -> list[Message]:
    """The messages of a topic: its summary first, then posts."""
    topic_id = topic(house, title).id
    inside = (each for each in house.people.messages if each.topic_id == topic_id)
    return [each for each in inside if each.action is None]


def delete_topic(house: Stage, title: str) -> None:
    gone = topic(house, title)
    theirs = [each for each in house.people.messages if each.topic_id == gone.id]
    house.people.delete(*theirs)
    chat = house.people.record
    del chat.topics[gone.id]
    chat.deleted_topics.add(gone.id)


def replace_picture(house: Stage, post: Message) -> None:
    """Edit a post as an app does that lets somebody choose another picture."""
    other = house.people.photo(house.me, picture(9), topic=topic(house, "Person 2"))
    house.people.edit(post, media=other.media)
    house.people.delete(other)


async def test_what_was_just_published_is_what_is_read_back(house: Stage, hub: Hub) -> None:
    result = await look(house, hub)
    assert (result.counts.by_name, result.stopped_reason) == ({}, "done")
    assert result.messages >= 9


CHANGES: dict[str, tuple[Callable[[Stage], object], str]] = {
    "a deleted topic": (lambda house: delete_topic(house, "Person 1"), "topics_gone"),
    "a deleted post": (
        lambda house: house.people.delete(ours(house, "Person 1")[1]),
        "posts_gone",
    ),
    "an edited post": (
        lambda house: house.people.edit(ours(house, "Person 1")[2], text="mine!", entities=()),
        "posts_edited",
    ),
    "another link": (
        lambda house: house.people.edit(ours(house, "Person 1")[1], entities=()),
        "posts_edited",
    ),
    "another picture under the same caption": (
        lambda house: replace_picture(house, ours(house, "Person 1")[1]),
        "posts_replaced",
    ),
    "a deleted summary": (
        lambda house: house.people.delete(ours(house, "Mia & Ida")[0]),
        "summaries_gone",
    ),
    "an edited summary": (
        lambda house: house.people.edit(ours(house, "Mia & Ida")[0], text="Nobody"),
        "summaries_edited",
    ),
    "an unpinned summary": (
        lambda house: house.people.pin(ours(house, "Mia & Ida")[0], pinned=False),
        "unpinned",
    ),
    "a closed topic": (
        lambda house: setattr(topic(house, "Person 2"), "closed", True),
        "closed",
    ),
    "a renamed topic": (
        lambda house: setattr(topic(house, "Person 2"), "title", "Zoe"),
        "renamed",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_each_change_by_hand_is_found_and_undone(house: Stage, hub: Hub, change: str) -> None:
    before = contents(house.people)
    CHANGES[change][0](house)
    assert (await look(house, hub)).counts.by_name == {CHANGES[change][1]: 1}
    await undone(house, hub, before)


async def test_of_a_post_that_was_uploaded_the_first_look_learns_what_it_shows(
    house: Stage, hub: Hub
) -> None:
    before = contents(house.people)
    recorded = "SELECT media_id FROM publications ORDER BY message_id"
    sent = house.rows.run(recorded)
    assert all(media_id.startswith("photo:") for (media_id,) in sent)
    house.rows.run("UPDATE publications SET media_id = NULL")
    assert (await look(house, hub)).drifted == 0
    assert house.rows.run(recorded) == sent
    replace_picture(house, ours(house, "Person 1")[1])
    assert (await look(house, hub)).counts.by_name == {"posts_replaced": 1}
    await undone(house, hub, before)


async def test_everything_at_once_is_undone_by_one_look_and_one_publishing(
    house: Stage, hub: Hub
) -> None:
    before = contents(house.people)
    first, *others = CHANGES
    for change in others:
        CHANGES[change][0](house)
    CHANGES[first][0](house)
    assert (await look(house, hub)).drifted >= 5
    await undone(house, hub, before)


async def test_a_look_in_parts_goes_on_where_it_was(house: Stage, hub: Hub) -> None:
    before = contents(house.people)
    for title in ("Person 1", "Person 2", "Mia & Ida"):
        house.people.delete(*ours(house, title)[1:])
    parts = [await look(house, hub, max_requests=1) for _ in range(2)]
    assert all(part.requests <= 2 for part in parts)
    while (await look(house, hub, max_requests=1)).stopped_reason == "budget":
        pass
    await undone(house, hub, before)


async def test_what_others_write_stays_and_is_counted(house: Stage, hub: Hub) -> None:
    place = topic(house, "Person 1")
    house.people.text(house.me, "Isn't she lovely?", topic=place)
    house.people.photo(house.bob, picture(3), topic=place)
    house.people.text(house.bob, "not in a topic of ours")
    house.people.topic(house.me, "Chatter")
    found: list[str] = []
    result = await look(house, hub, found=found)
    assert result.counts.by_name == {"foreign_messages": 2, "unknown_topics": 1}
    assert result.drifted == 0
    texts = [each.text for each in house.people.messages]
    assert (await house.publish(hub)).done == 0
    assert [each.text for each in house.people.messages] == texts
    assert "unknown  topic Chatter" in found


async def test_posts_whose_rows_a_restored_backup_lacks_are_told_by_their_links(
    house: Stage, hub: Hub
) -> None:
    house.rows.run("DELETE FROM publications WHERE identity_id = %s", UUID(int=2))
    result = await look(house, hub)
    assert result.counts.by_name == {"unknown_posts": 2}


async def test_a_flood_ends_the_look_and_the_next_one_goes_on(house: Stage, hub: Hub) -> None:
    delete_topic(house, "Person 2")
    house.sandbox.faults.flood("messages.getHistory", 3600)
    with pytest.raises(Transient) as asked:
        await look(house, hub)
    assert (asked.value.retry_after_seconds or 0) > 3000
    house.account.hub._call.client._flood_waited_requests.clear()
    # What was found before it is recorded.
    assert (await look(house, hub)).drifted == 0
    assert (await house.publish(hub)).sent == 3


async def test_nothing_is_read_while_a_run_publishes(house: Stage, hub: Hub) -> None:
    with house.store.publishing(hub.hub_no), pytest.raises(Transient, match="another run"):
        await look(house, hub)
