"""The store of hubs, topics and publications, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from archive.errors import Permanent, Transient
from archive.ids import AccountId, ChatNo, ContentKey, IdentityId, MessageId, TopicId
from archive.publishing import Hub, HubState, PostMethod
from archive.publishing.outbox import (
    Actual,
    Attempt,
    OutboxState,
    PublicationRow,
    SummaryRow,
    TopicRow,
)
from archive.publishing.wanted import WantedContent
from archive.records import MediaKind
from resources.store.database import Database
from resources.store.topics import TopicStore
from tests.integration.publishing_rows import START, Rows, key

PERSON = IdentityId(UUID(int=1))
HUB_CHAT = ChatNo(99)


@pytest.fixture
def rows(database: Database) -> Rows:
    rows = Rows(database)
    rows.chat(1)
    rows.chat(HUB_CHAT, "People", is_hub=True)
    rows.person(1)
    return rows


@pytest.fixture
def store(database: Database, rows: Rows) -> TopicStore:
    return TopicStore(database)


@pytest.fixture
def hub(store: TopicStore) -> Hub:
    return store.use(HUB_CHAT)


def contents(store: TopicStore, hub: Hub) -> list[WantedContent]:
    return [shown for topic in store.projection(hub.hub_no).wanted for shown in topic.contents]


def keys(store: TopicStore, hub: Hub) -> list[str]:
    return [shown.content_key for shown in contents(store, hub)]


def topic_row(random_id: int = 5) -> TopicRow:
    return TopicRow(PERSON, random_id, OutboxState.PLANNED, "Person 1", 0x6FB9F0)


def post_row(number: int = 1, random_id: int = 6) -> PublicationRow:
    planned = OutboxState.PLANNED
    return PublicationRow(uuid4(), PERSON, ContentKey(key(number)), random_id, planned)


def attempt(store: TopicStore, hub: Hub, random_id: int = 6) -> Attempt:
    (source,) = contents(store, hub)[0].sources
    return Attempt(random_id, "where from", PostMethod.REFERENCE, source)


def topic(store: TopicStore, hub: Hub) -> TopicRow:
    return store.projection(hub.hub_no).actual.topics[PERSON]


def opened(store: TopicStore, hub: Hub) -> None:
    store.begin_topic(hub.hub_no, topic_row())
    store.finish_topic(hub.hub_no, topic_row(), TopicId(12))


def posted(store: TopicStore, hub: Hub, row: PublicationRow) -> None:
    store.begin_post(hub.hub_no, row, attempt(store, hub, row.random_id))
    store.finish_post(row.publication_id, row.random_id, MessageId(40), certain=True)


def test_a_visible_person_wants_a_topic_with_every_content_that_shows_them(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1, phash=-5)
    rows.message(1, 4)
    (topic,) = store.projection(hub.hub_no).wanted
    (shown,) = topic.contents
    assert topic.title == "Person 1"
    assert (shown.content_key, shown.phash, shown.seconds) == (key(1), -5, None)
    assert [source.message_id for source in shown.sources] == [1, 4]
    assert shown.sources[0].chat.title == "Family"
    assert shown.sources[0].sent_at == START + timedelta(days=1)


def test_a_source_in_a_topic_of_a_forum_has_its_title(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    rows.run("UPDATE messages SET topic_id = 9")
    assert [each.topic_title for each in contents(store, hub)[0].sources] == [None]

    rows.run(
        "INSERT INTO forum_topics (chat_no, topic_id, title, opened_at) "
        "VALUES (1, 9, 'Holiday', now())"
    )

    assert [each.topic_title for each in contents(store, hub)[0].sources] == ["Holiday"]


def test_in_a_video_a_person_appears_at_their_first_frame(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.content(1, duration=9.0)
    rows.message(1, 1, kind="video")
    rows.face(1, 1, seconds=7.5)
    rows.face(1, 1, seconds=3.5)
    assert [shown.seconds for shown in contents(store, hub)] == [3.5]


def test_who_is_hidden_is_told_apart_and_who_is_erased_wants_nothing(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    rows.run("UPDATE identities SET state = 'hidden'")
    assert [each.closed for each in store.projection(hub.hub_no).wanted] == [True]
    rows.run("UPDATE identities SET state = 'erased'")
    projection = store.projection(hub.hub_no)
    assert projection.wanted == ()
    assert projection.erased == {PERSON}


def test_it_is_known_who_was_merged_into_whom(rows: Rows, store: TopicStore, hub: Hub) -> None:
    other = rows.person(2)
    rows.run("UPDATE identities SET state = 'merged', merged_into = %s WHERE number = 1", other)
    assert store.projection(hub.hub_no).merged == {PERSON: other}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE chats SET allow_publish = false WHERE chat_no = 1",
        "UPDATE chats SET noforwards = true WHERE chat_no = 1",
        "UPDATE messages SET deleted_at = now()",
        """UPDATE messages SET raw = '{"noforwards": true}'""",
    ],
)
def test_what_no_live_publishable_source_shows_is_not_wanted(
    rows: Rows, store: TopicStore, hub: Hub, change: str
) -> None:
    rows.shown(1, 1)
    assert keys(store, hub) == [key(1)]
    rows.run(change)
    assert keys(store, hub) == []


def test_a_content_with_one_allowed_chat_names_only_that_one(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.chat(2, "Secret", publish=False)
    rows.shown(1, 1)
    rows.message(1, 1, chat_no=2)
    assert [[s.chat.chat_no for s in shown.sources] for shown in contents(store, hub)] == [[1]]


def test_a_topic_is_made_changed_deleted_and_made_anew(store: TopicStore, hub: Hub) -> None:
    store.begin_topic(hub.hub_no, topic_row())
    store.begin_topic(hub.hub_no, topic_row())
    assert topic(store, hub).state is OutboxState.SENDING
    store.finish_topic(hub.hub_no, topic_row(), TopicId(12))
    sent = topic(store, hub)
    assert (sent.state, sent.topic_id, sent.random_id) == (OutboxState.SENT, 12, 5)
    for _ in range(2):
        store.begin_topic_edit(hub.hub_no, PERSON, title="Mia", closed=None)
    store.begin_topic_edit(hub.hub_no, PERSON, title=None, closed=True)
    edited = topic(store, hub)
    assert (edited.state, edited.title, edited.closed) == (OutboxState.EDITING, "Mia", True)
    store.finish_topic_edit(hub.hub_no, PERSON)
    for _ in range(2):
        store.begin_topic_removal(hub.hub_no, PERSON, TopicId(12))
    assert topic(store, hub).state is OutboxState.REMOVING
    store.finish_topic_removal(hub.hub_no, PERSON)
    assert store.projection(hub.hub_no).actual.topics == {}
    store.begin_topic(hub.hub_no, topic_row(random_id=15))
    anew = topic(store, hub)
    assert (anew.random_id, anew.topic_id, anew.closed) == (15, None, False)


def test_a_summary_is_sent_edited_pinned_and_forgotten(store: TopicStore, hub: Hub) -> None:
    opened(store, hub)
    row = SummaryRow(7, OutboxState.SENDING, "who")
    store.begin_summary(hub.hub_no, PERSON, row)
    store.begin_summary(hub.hub_no, PERSON, row)
    assert topic(store, hub).summary == row
    store.finish_summary(hub.hub_no, PERSON, MessageId(13), certain=False)
    store.pinned_summary(hub.hub_no, PERSON)
    store.begin_summary_edit(hub.hub_no, PERSON, "who now")
    expected = SummaryRow(7, OutboxState.EDITING, "who now", MessageId(13), pinned=True)
    assert topic(store, hub).summary == expected
    store.finish_summary_edit(hub.hub_no, PERSON)
    assert topic(store, hub).summary == replace(expected, state=OutboxState.SENT)
    store.forget_summary(hub.hub_no, PERSON)
    assert topic(store, hub).summary is None


def test_a_post_keeps_everything_that_its_repeat_needs(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1, phash=3)
    opened(store, hub)
    row = post_row()
    for _ in range(2):
        store.begin_post(hub.hub_no, row, attempt(store, hub))
    (sending,) = store.projection(hub.hub_no).actual.posts
    assert sending.state is OutboxState.SENDING
    assert (sending.random_id, sending.caption, sending.method) == (6, "where from", "reference")
    assert (sending.source_chat_no, sending.source_message_id) == (1, 1)
    store.finish_post(row.publication_id, 6, MessageId(40), certain=True)
    (sent,) = store.projection(hub.hub_no).actual.posts
    assert (sent.state, sent.message_id) == (OutboxState.SENT, 40)


def test_a_post_is_edited_and_removed_and_then_no_row_of_the_hub_any_more(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    opened(store, hub)
    row = post_row()
    posted(store, hub, row)
    store.begin_caption(row.publication_id, "from elsewhere")
    (edited,) = store.projection(hub.hub_no).actual.posts
    assert (edited.state, edited.caption) == (OutboxState.EDITING, "from elsewhere")
    store.finish_caption(row.publication_id)
    for _ in range(2):
        store.begin_removals([row.publication_id])
    store.finish_removals([row.publication_id])
    assert store.projection(hub.hub_no).actual.posts == ()
    posted(store, hub, post_row(random_id=16))


def test_what_was_in_a_topic_is_removed_with_it(rows: Rows, store: TopicStore, hub: Hub) -> None:
    rows.shown(1, 1)
    rows.shown(2, 1)
    opened(store, hub)
    posted(store, hub, post_row())
    store.begin_post(hub.hub_no, post_row(2, 17), attempt(store, hub, 17))
    store.begin_summary(hub.hub_no, PERSON, SummaryRow(7, OutboxState.SENDING, "who"))
    store.begin_topic_removal(hub.hub_no, PERSON, TopicId(12))
    store.finish_topic_removal(hub.hub_no, PERSON)
    assert store.projection(hub.hub_no).actual == Actual()
    assert rows.run("SELECT state FROM publications") == [("removed",)]


def test_what_left_the_hub_leaves_no_word_of_a_person_or_a_chat(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    for number in (1, 2):
        rows.shown(number, 1)
    opened(store, hub)
    alone, with_topic = post_row(), post_row(2, 17)
    for row in (alone, with_topic):
        posted(store, hub, row)
    store.begin_removals([alone.publication_id])
    store.finish_removals([alone.publication_id])
    store.begin_topic_removal(hub.hub_no, PERSON, TopicId(12))
    store.finish_topic_removal(hub.hub_no, PERSON)
    assert rows.run("SELECT DISTINCT caption FROM publications") == [("",)]
    assert rows.run("SELECT title FROM topics") == [("…",)]


def test_what_was_found_to_be_sent_is_on_its_way_out(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    opened(store, hub)
    row = post_row()
    store.begin_post(hub.hub_no, row, attempt(store, hub))
    store.found_post(row.publication_id, 6, MessageId(40))
    (found,) = store.projection(hub.hub_no).actual.posts
    assert (found.state, found.message_id) == (OutboxState.REMOVING, 40)


def test_a_row_that_is_not_in_the_state_before_is_left_as_it_is(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    opened(store, hub)
    row = post_row()
    changes: tuple[Callable[[], None], ...] = (
        lambda: store.finish_post(row.publication_id, 6, MessageId(40), certain=True),
        lambda: store.begin_caption(row.publication_id, "x"),
        lambda: store.begin_removals([row.publication_id]),
        lambda: store.finish_topic_edit(hub.hub_no, PERSON),
        lambda: store.finish_topic_removal(hub.hub_no, PERSON),
        lambda: store.begin_topic(hub.hub_no, topic_row(random_id=8)),
        lambda: store.pinned_summary(hub.hub_no, PERSON),
    )
    for change in changes:
        with pytest.raises(Transient, match="another run"):
            change()
    posted(store, hub, row)
    with pytest.raises(Transient, match="another run"):
        store.begin_post(hub.hub_no, row, attempt(store, hub))


def test_a_refusal_is_kept_until_the_content_is_sent_again(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    opened(store, hub)
    row = post_row()
    store.begin_post(hub.hub_no, row, attempt(store, hub))
    store.refuse_post(hub.hub_no, row, "MEDIA_INVALID", START)
    (refused,) = store.projection(hub.hub_no).actual.posts
    assert (refused.refusal, refused.retry_at, refused.method) == ("MEDIA_INVALID", START, None)
    store.begin_post(hub.hub_no, row, attempt(store, hub, random_id=16))
    (again,) = store.projection(hub.hub_no).actual.posts
    assert (again.refusal, again.random_id) == (None, 16)


def test_the_database_itself_refuses_a_second_post_of_a_content(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    opened(store, hub)
    posted(store, hub, post_row())
    with pytest.raises(Permanent, match="publications_once"):
        store.begin_post(hub.hub_no, post_row(random_id=16), attempt(store, hub, 16))


def test_the_switches_are_asked_again_before_a_post(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.chat(2, publish=False)
    permission = store.permission(PERSON, [ChatNo(1), ChatNo(2), HUB_CHAT])
    assert permission.is_visible
    assert permission.chat_nos == {1}
    assert not store.permission(IdentityId(uuid4()), []).is_visible


def test_the_keys_to_a_file_are_those_of_who_posts_and_who_reads(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    (source,) = contents(store, hub)[0].sources
    material = store.material(source, AccountId(8))
    assert material.file.kind is MediaKind.PHOTO
    assert material.access is None
    assert material.reading_access is not None
    assert material.reading_access.file_reference == b"reference"


def test_one_hub_is_in_use_and_the_choice_can_change(rows: Rows, store: TopicStore) -> None:
    rows.chat(98, "Others", is_hub=True)
    first, second = store.use(HUB_CHAT), store.use(ChatNo(98))
    assert [(hub.chat.chat_no, hub.in_use) for hub in store.hubs()] == [(98, True), (99, False)]
    assert store.use(HUB_CHAT).hub_no == first.hub_no != second.hub_no


def test_a_chat_that_is_not_marked_cannot_become_a_hub(store: TopicStore) -> None:
    with pytest.raises(Permanent, match="marked as a hub"):
        store.use(ChatNo(1))
    assert store.hubs() == []


def test_why_a_hub_is_blocked_is_kept_until_it_is_not(store: TopicStore, hub: Hub) -> None:
    store.set_state(hub.hub_no, HubState.BLOCKED, "no rights")
    assert [hub.blocked_reason for hub in store.hubs()] == ["no rights"]
    store.set_state(hub.hub_no, HubState.READY)
    assert [hub.blocked_reason for hub in store.hubs()] == [None]


def test_two_runs_never_publish_to_one_hub_at_the_same_time(store: TopicStore, hub: Hub) -> None:
    with (
        store.publishing(hub.hub_no),
        pytest.raises(Transient, match="another run"),
        store.publishing(hub.hub_no),
    ):
        pass
    with store.publishing(hub.hub_no):
        pass
