"""The store of hubs, topics and publications, on a real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from archive.errors import Permanent, Transient
from archive.ids import AccountId, ChatNo, ContentKey, IdentityId, MessageId, TopicId
from archive.publishing import Hub, PostMethod
from archive.publishing.state import Attempt, OutboxState, PublicationRow, TopicRow, WantedContent
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


@pytest.mark.parametrize("state", ["hidden", "erased"])
def test_who_is_hidden_or_erased_wants_nothing(
    rows: Rows, store: TopicStore, hub: Hub, state: str
) -> None:
    rows.shown(1, 1)
    rows.run("UPDATE identities SET state = %s", state)
    assert store.projection(hub.hub_no).wanted == ()


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


def test_a_topic_goes_from_planned_over_sending_to_sent(store: TopicStore, hub: Hub) -> None:
    row = topic_row()
    store.enqueue(hub.hub_no, [row], [])
    assert store.projection(hub.hub_no).topics[PERSON].state is OutboxState.PLANNED
    store.begin_topic(hub.hub_no, row)
    store.begin_topic(hub.hub_no, row)
    assert store.projection(hub.hub_no).topics[PERSON].state is OutboxState.SENDING
    store.finish_topic(hub.hub_no, row, TopicId(12))
    sent = store.projection(hub.hub_no).topics[PERSON]
    assert (sent.state, sent.topic_id, sent.random_id) == (OutboxState.SENT, 12, 5)


def test_a_post_keeps_everything_that_its_repeat_needs(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1, phash=3)
    row = post_row()
    store.enqueue(hub.hub_no, [topic_row()], [row])
    store.begin_post(row.publication_id, attempt(store, hub))
    (sending,) = store.projection(hub.hub_no).publications
    assert sending.state is OutboxState.SENDING
    assert (sending.random_id, sending.caption, sending.method) == (6, "where from", "reference")
    assert (sending.source_chat_no, sending.source_message_id, sending.phash) == (1, 1, 3)
    store.finish_post(row.publication_id, 6, MessageId(40))
    (sent,) = store.projection(hub.hub_no).publications
    assert (sent.state, sent.message_id) == (OutboxState.SENT, 40)


def test_a_row_that_is_not_in_the_state_before_is_left_as_it_is(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    row = post_row()
    store.enqueue(hub.hub_no, [topic_row()], [row])
    with pytest.raises(Transient, match="another run"):
        store.finish_post(row.publication_id, 6, MessageId(40))
    store.begin_post(row.publication_id, attempt(store, hub))
    with pytest.raises(Transient, match="another run"):
        store.finish_post(row.publication_id, 7, MessageId(40))
    store.finish_post(row.publication_id, 6, MessageId(40))
    with pytest.raises(Transient, match="another run"):
        store.begin_post(row.publication_id, attempt(store, hub))
    with pytest.raises(Transient, match="another run"):
        store.begin_topic(hub.hub_no, topic_row(random_id=8))


def test_what_an_earlier_run_only_planned_gives_way_to_the_next_plan(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    store.enqueue(hub.hub_no, [topic_row()], [post_row()])
    store.enqueue(hub.hub_no, [topic_row(15)], [post_row(random_id=16)])
    projection = store.projection(hub.hub_no)
    assert [row.random_id for row in projection.topics.values()] == [15]
    assert [row.random_id for row in projection.publications] == [16]
    store.enqueue(hub.hub_no, [], [])
    assert store.projection(hub.hub_no).publications == ()
    assert store.projection(hub.hub_no).topics == {}


def test_a_refusal_is_kept_until_the_content_is_planned_again(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    row, topic = post_row(), topic_row()
    store.enqueue(hub.hub_no, [topic], [row])
    store.begin_topic(hub.hub_no, topic)
    store.finish_topic(hub.hub_no, topic, TopicId(12))
    store.begin_post(row.publication_id, attempt(store, hub))
    store.refuse_post(row.publication_id, "MEDIA_INVALID", START)
    store.enqueue(hub.hub_no, [], [])
    (refused,) = store.projection(hub.hub_no).publications
    assert (refused.refusal, refused.retry_at, refused.method) == ("MEDIA_INVALID", START, None)
    store.enqueue(hub.hub_no, [], [post_row(random_id=16)])
    (again,) = store.projection(hub.hub_no).publications
    assert (again.refusal, again.random_id) == (None, 16)


def test_the_database_itself_refuses_a_second_post_of_a_content(
    rows: Rows, store: TopicStore, hub: Hub
) -> None:
    rows.shown(1, 1)
    row = post_row()
    store.enqueue(hub.hub_no, [topic_row()], [row])
    store.begin_post(row.publication_id, attempt(store, hub))
    with pytest.raises(Permanent, match="publications_once"):
        store.enqueue(hub.hub_no, [], [post_row(random_id=16)])


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
    store.set_blocked(hub.hub_no, "no rights")
    assert [hub.blocked_reason for hub in store.hubs()] == ["no rights"]
    store.set_blocked(hub.hub_no, None)
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
