"""Topics that an earlier release published go on where it left them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from archive.ids import ContentKey, IdentityId, MessageId
from archive.publishing import HubNo
from archive.publishing.outbox import OutboxState
from archive.publishing.planning import plan_operations
from resources.store.database import Database
from resources.store.embedded import EmbeddedPostgres
from resources.store.migrate import migrate
from resources.store.topics import TopicStore
from tests.fixtures.releases import release_before

BEFORE = 15
HUB = HubNo(4)
NOW = datetime(2026, 2, 1, tzinfo=UTC)

# A source, a hub, five people: 1 published, 2 only planned, 3 planned with a refusal, 4 whose
# topic may have been made, 5 whose topic was being deleted. Contents 1 … 6.
OLD = """
INSERT INTO accounts VALUES (7, 'Ada');
INSERT INTO models (name, kind, licence, commercial_use, dims, thresholds)
VALUES ('m', 'dlib', 'CC0', true, 2, '{}');
INSERT INTO chats (chat_no, chat_id, account_id, kind, id_space, title, is_forum, allow_archive,
                   allow_faces, allow_publish, is_hub)
VALUES (1, -1000000000001, 7, 'supergroup', 'own', 'Family', false, true, true, true, false),
       (2, -1000000000002, 7, 'supergroup', 'own', 'People', true, false, false, false, true);
INSERT INTO hubs (hub_no, chat_no, in_use) VALUES (4, 2, true);
INSERT INTO blobs (content_key, size_bytes)
SELECT 'sha256:' || lpad(to_hex(i), 64, '0'), 1 FROM generate_series(1, 6) AS i;
INSERT INTO identities (identity_id, number, model)
SELECT ('00000000-0000-0000-0000-00000000000' || i)::uuid, i, 'm' FROM generate_series(1, 5) AS i;
INSERT INTO topics (hub_no, identity_id, random_id, state, topic_id, title, icon_color)
SELECT 4, ('00000000-0000-0000-0000-00000000000' || i)::uuid, 100 + i,
       (ARRAY['sent', 'planned', 'planned', 'sending', 'removing'])[i],
       (ARRAY[11, NULL, NULL, NULL, 15])[i], 'Person ' || i, 7322096
FROM generate_series(1, 5) AS i;
INSERT INTO publications (publication_id, hub_no, identity_id, content_key, random_id, state,
                          message_id, caption, method, source_chat_no, source_message_id,
                          refusal, retry_at)
SELECT ('00000000-0000-0000-0000-0000000000a' || i)::uuid, 4,
       ('00000000-0000-0000-0000-00000000000' || who)::uuid,
       'sha256:' || lpad(to_hex(i), 64, '0'), 200 + i, state, message_id, caption, method,
       source, message, refusal, retry_at::timestamptz
FROM (VALUES
    (1, 1, 'sent', 21, 'Family', 'reference', 1, 5, NULL, NULL),
    (2, 1, 'sending', NULL, 'Family', 'upload', 1, 6, NULL, NULL),
    (3, 1, 'removed', 23, 'Family', 'forward', 1, 7, NULL, NULL),
    (4, 1, 'planned', NULL, '', NULL, NULL, NULL, NULL, NULL),
    (5, 2, 'planned', NULL, '', NULL, NULL, NULL, NULL, NULL),
    (6, 3, 'planned', NULL, '', NULL, NULL, NULL, 'MEDIA_INVALID', '2026-03-01')
) AS old (i, who, state, message_id, caption, method, source, message, refusal, retry_at);
"""


@pytest.fixture
def store(postgres: EmbeddedPostgres) -> Iterator[TopicStore]:
    """The topics of an archive of the release before, brought up to this one."""
    with release_before(postgres, BEFORE, OLD) as url:
        migrate(url)
        with Database(url) as database:
            yield TopicStore(database)


def person(number: int) -> IdentityId:
    return IdentityId(UUID(int=number))


def key(number: int) -> ContentKey:
    return ContentKey(f"sha256:{number:064x}")


def test_what_was_or_may_have_been_published_is_known_and_what_was_planned_is_not(
    store: TopicStore,
) -> None:
    actual = store.recorded(HUB)
    assert {number: actual.topics[person(number)].state for number in (1, 3, 4, 5)} == {
        1: OutboxState.SENT,
        3: OutboxState.PLANNED,
        4: OutboxState.SENDING,
        5: OutboxState.REMOVING,
    }
    assert person(2) not in actual.topics
    rows = {row.content_key: row for row in actual.posts}
    assert {each: row.state for each, row in rows.items()} == {
        key(1): OutboxState.SENT,
        key(2): OutboxState.SENDING,
        key(6): OutboxState.PLANNED,
    }
    sent, pending = rows[key(1)], rows[key(2)]
    assert (sent.message_id, sent.caption) == (MessageId(21), "Family")
    # Its repeat must be the identical request.
    assert (pending.random_id, pending.source_message_id) == (202, MessageId(6))
    assert rows[key(6)].refusal == "MEDIA_INVALID"


def test_what_left_the_hub_before_leaves_no_word_of_a_chat(
    postgres: EmbeddedPostgres,
) -> None:
    with release_before(postgres, BEFORE, OLD) as url:
        migrate(url)
        with Database(url) as database, database.transaction() as connection:
            left = connection.execute("SELECT caption FROM publications WHERE state = 'removed'")
            assert left.fetchall() == [("",)]


def test_a_topic_of_before_is_open_and_still_lacks_its_summary(store: TopicStore) -> None:
    topic = store.recorded(HUB).topics[person(1)]
    assert (topic.topic_id, topic.closed, topic.summary) == (11, False, None)


def test_what_of_before_is_wanted_no_more_leaves_the_hub(store: TopicStore) -> None:
    lines = plan_operations(store.projection(HUB), now=NOW).lines()
    assert sorted(lines) == [
        "delete   Person 1",
        "delete   Person 4",
        "delete   Person 5",
        "find     Person 4",
    ]


def test_topics_and_posts_of_before_can_be_changed_and_taken_back(store: TopicStore) -> None:
    store.begin_topic_edit(HUB, person(1), title="Mia", closed=True)
    store.finish_topic_edit(HUB, person(1))
    (sent,) = [row for row in store.recorded(HUB).posts if row.state is OutboxState.SENT]
    store.begin_caption(sent.publication_id, "Kin")
    store.begin_removals([sent.publication_id])
    store.finish_removals([sent.publication_id])
    assert store.recorded(HUB).topics[person(1)].title == "Mia"
    assert key(1) not in {row.content_key for row in store.recorded(HUB).posts}
