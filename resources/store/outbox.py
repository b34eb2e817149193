"""The outbox of hubs: implements ``TopicOutbox`` and ``PostOutbox`` of ``archive.publishing``.

Every change is one transaction that names the states it comes from. The statements are in
``outbox_sql``; what belongs into a hub is ``topics``'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from archive.errors import Transient
from archive.ids import IdentityId, MessageId, TopicId
from archive.publishing import HubNo
from archive.publishing.outbox import (
    NOTHING,
    Attempt,
    OutboxState,
    PublicationRow,
    SummaryRow,
    TopicRow,
)
from resources.store import outbox_sql as sql
from resources.store import topics_rows as rows
from resources.store.database import Database


class TopicRows:
    """Changes of topics and of what they say.

    Args:
        database: Open and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin_topic(self, hub_no: HubNo, row: TopicRow) -> None:
        """Mark a topic as being made: none, sending or removed → sending."""
        change(self._database, sql.BEGIN_TOPIC, rows.topic_values(hub_no, row))

    def finish_topic(self, hub_no: HubNo, row: TopicRow, topic_id: TopicId) -> None:
        """Record a topic's id: sending → sent."""
        values = {**rows.topic_values(hub_no, row), "topic_id": topic_id}
        change(self._database, sql.FINISH_TOPIC, values)

    def begin_topic_edit(
        self, hub_no: HubNo, identity_id: IdentityId, *, title: str | None, closed: bool | None
    ) -> None:
        """Store how a topic is to be: sent or editing → editing."""
        values = {**_of(hub_no, identity_id), "title": title, "closed": closed}
        with self._database.transaction() as connection:
            require_rows(connection.execute(sql.BEGIN_TOPIC_EDIT, values).rowcount, 1)
            if title is not None:
                connection.execute(sql.FORGET_GIVEN_TITLES, values)
                connection.execute(sql.NOTE_GIVEN_TITLE, values)

    def finish_topic_edit(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that it is so: editing → sent."""
        change(self._database, sql.FINISH_TOPIC_EDIT, _of(hub_no, identity_id))

    def begin_topic_removal(
        self, hub_no: HubNo, identity_id: IdentityId, topic_id: TopicId
    ) -> None:
        """Mark a topic as going: any state but removed → removing."""
        values = {**_of(hub_no, identity_id), "topic_id": topic_id}
        change(self._database, sql.BEGIN_TOPIC_REMOVAL, values)

    def finish_topic_removal(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that a topic is gone with all in it: removing → removed."""
        values = _of(hub_no, identity_id)
        with self._database.transaction() as connection:
            connection.execute(sql.DROP_UNSENT, values)
            connection.execute(sql.REMOVE_WITH_TOPIC, values)
            connection.execute(sql.FORGET_SUMMARY, values)
            connection.execute(sql.FORGET_ANSWERS, values)
            require_rows(connection.execute(sql.FINISH_TOPIC_REMOVAL, values).rowcount, 1)

    def begin_summary(self, hub_no: HubNo, identity_id: IdentityId, row: SummaryRow) -> None:
        """Store a summary before it is sent: none or sending → sending."""
        values = {**_of(hub_no, identity_id), "random_id": row.random_id, "text": row.text}
        change(self._database, sql.BEGIN_SUMMARY, values)

    def finish_summary(
        self, hub_no: HubNo, identity_id: IdentityId, message_id: MessageId, *, certain: bool
    ) -> None:
        """Record a summary's message: sending → sent, or editing."""
        values = {**_of(hub_no, identity_id), "message_id": message_id, "state": _after(certain)}
        change(self._database, sql.FINISH_SUMMARY, values)

    def begin_summary_edit(self, hub_no: HubNo, identity_id: IdentityId, text: str) -> None:
        """Store what a summary is to say: sent or editing → editing."""
        change(self._database, sql.BEGIN_SUMMARY_EDIT, {**_of(hub_no, identity_id), "text": text})

    def finish_summary_edit(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that it says so: editing → sent."""
        change(self._database, sql.FINISH_SUMMARY_EDIT, _of(hub_no, identity_id))

    def pinned_summary(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that a summary is pinned."""
        change(self._database, sql.PINNED_SUMMARY, _of(hub_no, identity_id))

    def finish_answer(self, remark_id: int, message_id: MessageId) -> None:
        """Record an answer's message, and forget its words."""
        values = {"remark_id": remark_id, "message_id": message_id}
        change(self._database, sql.FINISH_ANSWER, values)

    def forget_summary(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that a summary is gone."""
        change(self._database, sql.FORGET_SUMMARY, _of(hub_no, identity_id))


class PostRows:
    """Changes of posts.

    Args:
        database: Open and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin_post(self, hub_no: HubNo, row: PublicationRow, attempt: Attempt) -> None:
        """Store a request before it is made: none, planned or sending → sending."""
        values = {**rows.publication_values(hub_no, row), **rows.attempt_values(attempt)}
        change(self._database, sql.BEGIN_POST, values)

    def finish_post(
        self, publication_id: UUID, random_id: int, message_id: MessageId, *, certain: bool
    ) -> None:
        """Record a post's message: sending → sent, or editing."""
        self._found(publication_id, random_id, message_id, _after(certain))

    def seek_post(self, publication_id: UUID) -> None:
        """Record that only its id is asked for from now on: sending stays sending."""
        values = {"publication_id": publication_id, "nothing": NOTHING}
        change(self._database, sql.SEEK_POST, values)

    def found_post(self, publication_id: UUID, random_id: int, message_id: MessageId) -> None:
        """Record the message of a post that is going: sending → removing."""
        self._found(publication_id, random_id, message_id, OutboxState.REMOVING)

    def refuse_post(
        self, hub_no: HubNo, row: PublicationRow, reason: str, retry_at: datetime
    ) -> None:
        """Set aside what certainly was not sent: none, planned or sending → planned."""
        values = {**rows.publication_values(hub_no, row), "reason": reason, "retry_at": retry_at}
        change(self._database, sql.REFUSE_POST, values)

    def begin_caption(self, publication_id: UUID, caption: str) -> None:
        """Store what a post is to name: sent or editing → editing."""
        values = {"publication_id": publication_id, "caption": caption}
        change(self._database, sql.BEGIN_CAPTION, values)

    def finish_caption(self, publication_id: UUID) -> None:
        """Record that it does: editing → sent."""
        change(self._database, sql.FINISH_CAPTION, {"publication_id": publication_id})

    def begin_removals(self, publication_ids: Sequence[UUID]) -> None:
        """Mark posts as going: sent, editing or removing → removing."""
        values = {"publication_ids": list(publication_ids)}
        change(self._database, sql.BEGIN_REMOVALS, values, len(publication_ids))

    def finish_removals(self, publication_ids: Sequence[UUID]) -> None:
        """Record that they are gone: removing → removed."""
        values = {"publication_ids": list(publication_ids)}
        change(self._database, sql.FINISH_REMOVALS, values, len(publication_ids))

    def _found(
        self, publication_id: UUID, random_id: int, message_id: MessageId, state: OutboxState
    ) -> None:
        sent = {"random_id": random_id, "message_id": message_id, "state": state}
        change(self._database, sql.FINISH_POST, {"publication_id": publication_id, **sent})


def change(
    database: Database, statement: LiteralString, values: rows.Values, expected: int = 1
) -> None:
    """Change exactly so many rows, or nothing at all."""
    with database.transaction() as connection:
        require_rows(connection.execute(statement, values).rowcount, expected)


def require_rows(changed: int, expected: int) -> None:
    """Refuse to go on where a row is not in the state that it was read in.

    Raises:
        Transient: Another run was there.
    """
    if changed != expected:
        raise Transient("an outbox row was changed by another run")


def _of(hub_no: HubNo, identity_id: IdentityId) -> rows.Values:
    return {"hub_no": hub_no, "identity_id": identity_id}


def _after(certain: bool) -> OutboxState:  # noqa: FBT001 - the one word it is about
    return OutboxState.SENT if certain else OutboxState.EDITING
