"""What belongs into hubs, and what is there: implements ``archive.publishing``'s store.

Reading both sides of a hub is one snapshot of a few statements, which are in ``topics_sql``. How
rows of the outbox change is ``outbox``'s, hubs themselves are ``hubs``'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import LiteralString

from psycopg import Connection
from psycopg.rows import dict_row

from archive.errors import Permanent, Transient
from archive.ids import AccountId, ChatNo, IdentityId
from archive.publishing import HubNo
from archive.publishing.doubts import Doubt
from archive.publishing.state import Material, Permission, Projection
from archive.publishing.wanted import Source, WantedContent, WantedTopic
from archive.records import Chat
from resources.store import topics_rows as rows
from resources.store import topics_sql as sql
from resources.store.chats import chat_of
from resources.store.database import Database
from resources.store.hubs import HubRows, rooms_of, standings_of
from resources.store.locks import named_lock
from resources.store.outbox import PostRows, TopicRows
from resources.store.read_back import ReadBackRows

_BUSY_RETRY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class People:
    """Who is to be shown, whichever hub it is in, and who is not any more: see ``Projection``."""

    wanted: tuple[WantedTopic, ...]
    merged: Mapping[IdentityId, IdentityId]
    erased: frozenset[IdentityId]


class TopicStore(HubRows, TopicRows, PostRows, ReadBackRows):
    """Hubs, topics and publications.

    Args:
        database: Open and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Both sides of a hub

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

    def projection(self, hub_no: HubNo) -> Projection:
        """Read what a hub should hold and what we know it holds, in one snapshot.

        Raises:
            Permanent: There is no such hub.
        """
        with self._database.transaction() as connection:
            connection.execute(sql.SNAPSHOT)
            hub = connection.execute(sql.CHAT_OF_HUB, {"hub_no": hub_no}).fetchone()
            if hub is None:
                raise Permanent("there is no such hub")
            people = self._people(connection, hub_no)
            return Projection(
                hub=chat_of(connection, hub[0]),
                wanted=people.wanted,
                merged=people.merged,
                erased=people.erased,
                hub_no=hub_no,
                rooms=rooms_of(connection, hub_no),
                standings=standings_of(connection),
                actual=rows.actual(
                    connection.execute(sql.TOPICS, {"hub_no": hub_no}),
                    connection.execute(sql.PUBLICATIONS, {"hub_no": hub_no}),
                    connection.execute(sql.ANSWERS, {"hub_no": hub_no}),
                ),
            )

    def _people(self, connection: Connection, hub_no: HubNo) -> People:
        """Read whom a hub is to show, in the snapshot that its other side is read in."""
        return People(
            wanted=rows.wanted_topics(
                connection.execute(sql.PEOPLE),
                connection.execute(sql.APPEARANCES),
                connection.execute(sql.SOURCES),
                _chats(connection),
            ),
            merged=dict(connection.execute(sql.MERGED).fetchall()),
            erased=frozenset(row[0] for row in connection.execute(sql.ERASED)),
        )

    def still_asked(self, doubts: Sequence[Doubt]) -> Sequence[WantedContent]:
        """Give the questions that nobody and nothing has answered, in their order."""
        values = rows.doubt_values(doubts)
        with self._database.transaction() as connection:
            connection.execute(sql.SNAPSHOT)
            return rows.open_doubts(
                connection.execute(sql.OPEN_DOUBTS, values),
                connection.execute(sql.SOURCES_OF_FACES, values),
                _chats(connection),
            )

    # What may be sent

    def permission(
        self, identity_id: IdentityId, chat_nos: Iterable[ChatNo], doubt: Doubt | None = None
    ) -> Permission:
        """Ask what the switches say now about a person or a question, and some chats."""
        statement = sql.IS_VISIBLE if doubt is None else sql.IS_OPEN
        values = rows.permission_values(identity_id, doubt)
        with self._database.transaction() as connection:
            visible = connection.execute(statement, values).fetchone()
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


def _chats(connection: Connection) -> dict[ChatNo, Chat]:
    """Read the chats that may be published; there are few beside what is in them."""
    numbers = [row["chat_no"] for row in _select(connection, sql.CHATS)]
    return {chat_no: chat_of(connection, chat_no) for chat_no in numbers}


def _select(
    connection: Connection, statement: LiteralString, **parameters: object
) -> list[rows.Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(statement, parameters))
