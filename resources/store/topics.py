"""The outbox of hubs, and what belongs into them: implements ``archive.publishing``'s store.

Reading both sides of a hub is one snapshot of a few statements; every change of a row is one
transaction that names the state it comes from. The statements are in ``topics_sql``.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from archive.errors import Permanent, Transient
from archive.ids import AccountId, ChatNo, IdentityId, MessageId, TopicId
from archive.publishing import Hub, HubNo
from archive.publishing.state import (
    Attempt,
    Material,
    Permission,
    Projection,
    PublicationRow,
    Source,
    TopicRow,
)
from archive.records import Chat
from resources.store import topics_rows as rows
from resources.store import topics_sql as sql
from resources.store.chats import chat_of
from resources.store.database import Database
from resources.store.locks import named_lock

# Like a chat_no, within the 53 bits that survive JSON.
_HUB_NO_BITS = 52
_BUSY_RETRY_SECONDS = 60.0


class TopicStore:
    """Hubs, topics and publications.

    Args:
        database: Open and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Hubs

    def hubs(self) -> list[Hub]:
        """Return every hub, the one in use first."""
        with self._database.transaction() as connection:
            return [
                rows.hub_of(row, chat_of(connection, row["chat_no"]))
                for row in _select(connection, sql.HUBS)
            ]

    def hub(self, hub_no: HubNo) -> Hub | None:
        """Return a configured hub; ``None`` if there is none of that number."""
        return next((hub for hub in self.hubs() if hub.hub_no == hub_no), None)

    def use(self, chat_no: ChatNo) -> Hub:
        """Let publishing go to a chat that is marked as a hub, and to no other.

        Raises:
            Permanent: The chat is not marked as a hub.
        """
        hub_no = secrets.randbits(_HUB_NO_BITS) + 1
        with self._database.transaction() as connection:
            connection.execute(sql.RETIRE_HUBS)
            used = connection.execute(sql.USE_HUB, {"hub_no": hub_no, "chat_no": chat_no})
            if used.rowcount != 1:
                raise Permanent("a chat must be marked as a hub before it can be used as one")
        return next(hub for hub in self.hubs() if hub.chat.chat_no == chat_no)

    def set_blocked(self, hub_no: HubNo, reason: str | None) -> None:
        """Keep why a hub cannot be used now, or that it can."""
        with self._database.transaction() as connection:
            connection.execute(sql.SET_BLOCKED, {"hub_no": hub_no, "reason": reason})

    def publishing(self, hub_no: HubNo) -> AbstractContextManager[None]:
        """Hold the hub for one run; a kill -9 gives it back by itself.

        Raises:
            Transient: Another run holds it.
        """
        return named_lock(
            self._database,
            f"publish {hub_no}",
            busy="another run is publishing to this hub",
            retry_after_seconds=_BUSY_RETRY_SECONDS,
        )

    # Both sides of a hub

    def projection(self, hub_no: HubNo) -> Projection:
        """Read what a hub should hold and what we know it holds, in one snapshot."""
        with self._database.transaction() as connection:
            connection.execute(sql.SNAPSHOT)
            wanted = rows.wanted_topics(
                _select(connection, sql.PEOPLE),
                _select(connection, sql.APPEARANCES),
                _select(connection, sql.SOURCES),
                _chats(connection),
            )
            topics = _select(connection, sql.TOPICS, hub_no=hub_no)
            publications = _select(connection, sql.PUBLICATIONS, hub_no=hub_no)
        return Projection(
            wanted=wanted,
            topics={row["identity_id"]: rows.topic_of(row) for row in topics},
            publications=tuple(rows.publication_of(row) for row in publications),
        )

    # The outbox

    def enqueue(
        self, hub_no: HubNo, topics: Sequence[TopicRow], publications: Sequence[PublicationRow]
    ) -> None:
        """Write what this run will send as planned, in place of what earlier runs planned."""
        again = {
            "hub_no": hub_no,
            "identity_ids": [row.identity_id for row in publications],
            "content_keys": [row.content_key for row in publications],
        }
        with self._database.transaction() as connection, connection.cursor() as cursor:
            cursor.execute(sql.DROP_PLANNED, again)
            cursor.execute(sql.DROP_UNREFUSED, again)
            cursor.execute(sql.DROP_TOPICS, again)
            cursor.executemany(sql.ADD_TOPIC, [rows.topic_values(hub_no, row) for row in topics])
            cursor.executemany(
                sql.ADD_PUBLICATION, [rows.publication_values(hub_no, row) for row in publications]
            )

    def permission(self, identity_id: IdentityId, chat_nos: Iterable[ChatNo]) -> Permission:
        """Ask what the switches say now about a person and some chats."""
        with self._database.transaction() as connection:
            visible = connection.execute(sql.IS_VISIBLE, {"identity_id": identity_id}).fetchone()
            chats = connection.execute(sql.PERMITTED_CHATS, {"chat_nos": list(chat_nos)})
            return Permission(bool(visible and visible[0]), frozenset(row[0] for row in chats))

    def material(self, source: Source, posting: AccountId) -> Material:
        """Return the file of a source and the keys of the accounts that post and read it."""
        accounts = {"posting": posting, "reading": source.chat.account_id}
        with self._database.transaction() as connection:
            found = _select(connection, sql.MATERIAL, media_id=source.media_id, **accounts)
        if not found:
            raise Transient("a medium was removed while it was about to be posted")
        return rows.material_of(found[0])

    def begin_topic(self, hub_no: HubNo, row: TopicRow) -> None:
        """Mark a topic as being made: planned or sending → sending."""
        self._change(sql.BEGIN_TOPIC, rows.topic_values(hub_no, row))

    def finish_topic(self, hub_no: HubNo, row: TopicRow, topic_id: TopicId) -> None:
        """Record a topic's id: sending → sent."""
        self._change(sql.FINISH_TOPIC, {**rows.topic_values(hub_no, row), "topic_id": topic_id})

    def begin_post(self, publication_id: UUID, attempt: Attempt) -> None:
        """Store a request before it is made: planned or sending → sending."""
        values = {"publication_id": publication_id, **rows.attempt_values(attempt)}
        self._change(sql.BEGIN_POST, values)

    def finish_post(self, publication_id: UUID, random_id: int, message_id: MessageId) -> None:
        """Record a post's message: sending → sent."""
        sent = {"random_id": random_id, "message_id": message_id}
        self._change(sql.FINISH_POST, {"publication_id": publication_id, **sent})

    def refuse_post(self, publication_id: UUID, reason: str, retry_at: datetime) -> None:
        """Set aside what certainly was not sent: planned or sending → planned."""
        values = {"publication_id": publication_id, "reason": reason, "retry_at": retry_at}
        self._change(sql.REFUSE_POST, values)

    def _change(self, statement: LiteralString, values: rows.Values) -> None:
        """Change exactly one row, or nothing at all."""
        with self._database.transaction() as connection:
            if connection.execute(statement, values).rowcount != 1:
                raise Transient("an outbox row was changed by another run")


def _chats(connection: Connection) -> dict[ChatNo, Chat]:
    """Read the chats that may be published; there are few beside what is in them."""
    numbers = [row["chat_no"] for row in _select(connection, sql.CHATS)]
    return {chat_no: chat_of(connection, chat_no) for chat_no in numbers}


def _select(
    connection: Connection, statement: LiteralString, **parameters: object
) -> list[rows.Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(statement, parameters))
