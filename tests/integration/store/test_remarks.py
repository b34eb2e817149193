"""What is said in hubs, in the store: kept with the place of updates, once, and only there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from archive.errors import Permanent
from archive.ids import AccountId, ChatId, ChatNo, IdentityId, MessageId, TopicId, UserId
from archive.listening import Heard, UpdateState
from archive.publishing import ALL_OTHERS, Hub
from archive.publishing.doubts import REVIEW
from archive.publishing.outbox import OutboxState, TopicRow
from archive.remarks import Remark, RemarkKind
from resources.store.database import Database
from resources.store.inbox import InboxStore
from resources.store.remarks import RemarkStore
from resources.store.topics import TopicStore
from tests.integration.publishing_rows import ACCOUNT, Rows

ME, SOMEBODY = AccountId(ACCOUNT), UserId(77)
HUB, OTHER = 9, 10
STATE = UpdateState(5, 0, 3, datetime(2026, 1, 2, tzinfo=UTC))
TOPIC = TopicId(20)


@pytest.fixture
def rows(database: Database) -> Rows:
    rows = Rows(database)
    for number in (HUB, OTHER):
        rows.chat(number, is_hub=True)
    rows.person(1)
    return rows


@pytest.fixture
def hub(database: Database, rows: Rows) -> Hub:
    """A hub with one topic."""
    store = TopicStore(database)
    hub = store.use(ChatNo(HUB))
    (whose,) = rows.run("SELECT identity_id FROM identities")
    topic = TopicRow(IdentityId(whose[0]), 11, OutboxState.PLANNED, "Person 1", 0x6FB9F0)
    store.begin_topic(hub.hub_no, topic)
    store.finish_topic(hub.hub_no, topic, TOPIC)
    return hub


def said(hub: Hub, message_id: int = 30, sender: int = SOMEBODY) -> Remark:
    return Remark(
        hub.chat.chat_id,
        TOPIC,
        MessageId(message_id),
        UserId(sender),
        RemarkKind.COMMAND,
        "/name Ada",
        datetime(2026, 1, 2, tzinfo=UTC),
    )


def kept(rows: Rows) -> list[int]:
    found = rows.run("SELECT message_id FROM hub_remarks ORDER BY remark_id")
    return [message_id for (message_id,) in found]


def test_a_remark_and_the_place_of_updates_are_kept_together_or_not_at_all(
    database: Database, rows: Rows, hub: Hub
) -> None:
    heard = Heard(state=STATE, remarks=(said(hub),))
    rows.run("ALTER TABLE update_state ADD CONSTRAINT never CHECK (pts IS NULL)")
    with pytest.raises(Permanent):
        InboxStore(database).keep(ME, heard)
    assert kept(rows) == []

    rows.run("ALTER TABLE update_state DROP CONSTRAINT never")
    for _ in range(2):
        InboxStore(database).keep(ME, heard)
    assert kept(rows) == [30]
    assert rows.run("SELECT pts FROM update_state") == [(5,)]


def test_what_is_heard_at_once_is_heeded_in_the_order_in_which_it_was_said(
    database: Database, rows: Rows, hub: Hub
) -> None:
    InboxStore(database).keep(ME, Heard(remarks=(said(hub, 32), said(hub, 30), said(hub, 31))))

    assert kept(rows) == [30, 31, 32]


def test_only_what_is_said_in_a_persons_topic_of_ones_own_hub_is_kept(
    database: Database, rows: Rows, hub: Hub
) -> None:
    remark = said(hub)
    elsewhere = (
        replace(remark, topic_id=TopicId(21)),
        replace(remark, chat_id=ChatId(-1_000_000_000_000 - OTHER)),
        replace(remark, chat_id=ChatId(-1_000_000_000_001)),
    )
    rows.run("INSERT INTO accounts VALUES (8, 'Eve')")

    InboxStore(database).keep(ME, Heard(remarks=elsewhere))
    InboxStore(database).keep(AccountId(8), Heard(remarks=(remark,)))

    assert kept(rows) == []


def test_who_has_a_say_is_judged_by_a_list_that_was_read_after_they_spoke(
    database: Database, rows: Rows, hub: Hub
) -> None:
    store = RemarkStore(database)
    remarks = (said(hub, 30, ACCOUNT), said(hub, 31), said(hub, 32, 78))

    def say() -> list[bool | None]:
        return [waiting.may for waiting in store.waiting(9)]

    store.save_admins(hub.hub_no, [SOMEBODY])
    InboxStore(database).keep(ME, Heard(remarks=remarks))
    # An admin of a minute ago still is one; who was none may have become one.
    assert say() == [True, True, None]
    assert store.unjudged(ME) == []
    rows.run("UPDATE hub_admins SET read_at = read_at - interval '11 minutes'")
    assert say() == [True, None, None]
    assert [each.hub_no for each in store.unjudged(ME)] == [hub.hub_no]
    store.save_admins(hub.hub_no, [SOMEBODY])
    assert say() == [True, True, False]


@pytest.mark.parametrize(("whose", "by_answers"), [(UUID(int=1), True), (REVIEW, False)])
def test_what_is_said_of_a_post_or_a_question_in_another_hub_overtakes_nothing(
    database: Database, rows: Rows, whose: UUID, *, by_answers: bool
) -> None:
    store, remarks = TopicStore(database), RemarkStore(database)
    hubs = [store.add(ChatNo(HUB), ALL_OTHERS), store.add(ChatNo(OTHER), ALL_OTHERS)]
    for number, hub in enumerate(hubs):
        topic = TopicRow(IdentityId(whose), 11 + number, OutboxState.PLANNED, "Somebody")
        store.begin_topic(hub.hub_no, topic)
        store.finish_topic(hub.hub_no, topic, TOPIC)
        remark = replace(said(hub, 30 + number), reply_to_id=MessageId(25))
        remarks.hear(hub, [remark])
    rows.run(
        "UPDATE hub_remarks SET fate = 'decided', settled_at = now(), text = NULL "
        "WHERE message_id = 31"
    )
    (late,) = remarks.waiting(9)

    with remarks.settling(late.remark_id) as desk:
        assert desk is not None
        assert not desk.is_overtaken(by_answers=by_answers)


def test_what_nobody_can_judge_is_forgotten_after_two_weeks(
    database: Database, rows: Rows, hub: Hub
) -> None:
    inbox = InboxStore(database)
    inbox.keep(ME, Heard(remarks=(said(hub, 30),)))
    rows.run("UPDATE hub_remarks SET created_at = created_at - interval '15 days'")
    inbox.keep(ME, Heard(remarks=(said(hub, 31),)))

    inbox.prune()

    assert rows.run("SELECT message_id, text FROM hub_remarks ORDER BY remark_id") == [
        (30, None),
        (31, "/name Ada"),
    ]
