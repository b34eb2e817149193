"""Hubs: which there are, what goes where, and how each is doing.

What is in them is ``topics``', how rows of the outbox change ``outbox``', how often one may be
written to ``budgets``'.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import dict_row

from archive.errors import Permanent
from archive.ids import ChatNo
from archive.publishing import Hub, HubNo, HubRule, HubState
from archive.publishing.seating import MESSAGES_A_TOPIC
from archive.publishing.state import Room, Standing
from resources.store.chats import chat_of
from resources.store.database import Database

# Like a chat_no, within the 53 bits that survive JSON.
_HUB_NO_BITS = 52

# The account of a hub may have to wait, too.
_HUBS: Final[LiteralString] = """
SELECT hubs.hub_no, hubs.chat_no, hubs.in_use, hubs.state, hubs.state_reason, hubs.chat_nos,
       hubs.tags,
       CASE WHEN greatest(hubs.flood_until, accounts.flood_until) > now()
            THEN greatest(hubs.flood_until, accounts.flood_until) END AS waits_until
FROM hubs
JOIN chats USING (chat_no)
LEFT JOIN accounts USING (account_id)
ORDER BY hubs.in_use DESC, hubs.created_at, hubs.hub_no
"""

_RETIRE_ALL: Final[LiteralString] = "UPDATE hubs SET in_use = false WHERE in_use"

_RETIRE: Final[LiteralString] = "UPDATE hubs SET in_use = false WHERE hub_no = %(hub_no)s"

# A hub that comes back is the last of its rule to be filled.
_ADD: Final[LiteralString] = """
INSERT INTO hubs (hub_no, chat_no, in_use, chat_nos, tags)
SELECT %(hub_no)s, chat_no, true, %(chat_nos)s, %(tags)s
FROM chats WHERE chat_no = %(chat_no)s AND is_hub
ON CONFLICT (chat_no) DO UPDATE
SET in_use = true, state = 'ready', state_reason = NULL, chat_nos = excluded.chat_nos,
    tags = excluded.tags,
    created_at = CASE WHEN hubs.in_use THEN hubs.created_at ELSE now() END
"""

_SET_STATE: Final[LiteralString] = """
UPDATE hubs SET state = %(state)s, state_reason = %(reason)s WHERE hub_no = %(hub_no)s
"""

# A rule that names a group holds for the supergroup that it became. What was posted and what is
# said of a topic are counted; what somebody else writes there is not.
_ROOMS: Final[LiteralString] = """
SELECT hubs.hub_no, hubs.state <> 'blocked' AS is_open, hubs.tags,
       array(SELECT DISTINCT coalesce(chats.migrated_to, named)
             FROM unnest(hubs.chat_nos) AS named
             LEFT JOIN chats ON chats.chat_no = named) AS chat_nos,
       array(SELECT topics.identity_id FROM topics
             WHERE topics.hub_no = hubs.hub_no AND topics.state <> 'removed') AS residents,
       (SELECT count(*) FROM publications
        WHERE publications.hub_no = hubs.hub_no AND publications.state <> 'removed')
       + %(a_topic)s * (SELECT count(*) FROM topics
              WHERE topics.hub_no = hubs.hub_no AND topics.state <> 'removed') AS messages
FROM hubs
WHERE hubs.in_use
ORDER BY hubs.created_at, hubs.hub_no
"""

_STANDINGS: Final[LiteralString] = """
SELECT chats.chat_no, coalesce(chats.migrated_to, chats.chat_no) AS heir,
       array(SELECT DISTINCT unnest(others.tags) FROM chats AS others
             WHERE coalesce(others.migrated_to, others.chat_no)
                   = coalesce(chats.migrated_to, chats.chat_no)) AS tags
FROM chats
WHERE allow_publish
"""


_TAG: Final[LiteralString] = """
UPDATE chats SET tags = %(tags)s WHERE chat_no = %(chat_no)s OR migrated_to = %(chat_no)s
"""


class HubRows:
    """Hubs in PostgreSQL.

    Args:
        database: Open and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def hubs(self) -> list[Hub]:
        """Return every hub, those in use first, in the order in which they were added."""
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            return [_hub_of(connection, row) for row in cursor.execute(_HUBS).fetchall()]

    def hub(self, hub_no: HubNo) -> Hub | None:
        """Return a configured hub; ``None`` if there is none of that number."""
        return next((hub for hub in self.hubs() if hub.hub_no == hub_no), None)

    def use(self, chat_no: ChatNo) -> Hub:
        """Let publishing go to a chat that is marked as a hub, and to no other.

        Raises:
            Permanent: The chat is not marked as a hub.
        """
        return self._add(chat_no, HubRule(), alone=True)

    def add(self, chat_no: ChatNo, rule: HubRule) -> Hub:
        """Let publishing go to a chat that is marked as a hub, beside others.

        Raises:
            Permanent: The chat is not marked as a hub.
        """
        return self._add(chat_no, rule, alone=False)

    def retire(self, hub_no: HubNo) -> None:
        """Let publishing go there no more; what is there stays."""
        with self._database.transaction() as connection:
            connection.execute(_RETIRE, {"hub_no": hub_no})

    def set_state(self, hub_no: HubNo, state: HubState, reason: str | None = None) -> None:
        """Keep whether a hub can be used now, and why not."""
        values = {"hub_no": hub_no, "state": state, "reason": reason}
        with self._database.transaction() as connection:
            connection.execute(_SET_STATE, values)

    def tag(self, chat_no: ChatNo, tags: Sequence[str]) -> None:
        """Give a chat, and the group that it was, these tags and no others."""
        with self._database.transaction() as connection:
            connection.execute(_TAG, {"chat_no": chat_no, "tags": list(tags)})

    def _add(self, chat_no: ChatNo, rule: HubRule, *, alone: bool) -> Hub:
        values = {
            "hub_no": secrets.randbits(_HUB_NO_BITS) + 1,
            "chat_no": chat_no,
            "chat_nos": sorted(rule.chat_nos),
            "tags": sorted(rule.tags),
        }
        with self._database.transaction() as connection:
            if alone:
                connection.execute(_RETIRE_ALL)
            if connection.execute(_ADD, values).rowcount != 1:
                raise Permanent("a chat must be marked as a hub before it can be used as one")
        return next(hub for hub in self.hubs() if hub.chat.chat_no == chat_no)


def rooms_of(connection: Connection, hub_no: HubNo) -> tuple[Room, ...]:
    """Read every hub in use; a hub that is not is alone with everybody."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_ROOMS, {"a_topic": MESSAGES_A_TOPIC}).fetchall()
    rooms = tuple(
        Room(
            hub_no=HubNo(row["hub_no"]),
            rule=HubRule(frozenset(row["chat_nos"]), frozenset(row["tags"])),
            is_open=row["is_open"],
            residents=frozenset(row["residents"]),
            messages=row["messages"],
        )
        for row in rows
    )
    return rooms if any(room.hub_no == hub_no for room in rooms) else ()


def standings_of(connection: Connection) -> dict[ChatNo, Standing]:
    """Read what rules see of the chats that may be published."""
    return {
        chat_no: Standing(heir, frozenset(tags))
        for chat_no, heir, tags in connection.execute(_STANDINGS)
    }


def _hub_of(connection: Connection, row: dict[str, Any]) -> Hub:
    return Hub(
        hub_no=HubNo(row["hub_no"]),
        chat=chat_of(connection, row["chat_no"]),
        in_use=row["in_use"],
        state=HubState(row["state"]),
        reason=row["state_reason"],
        rule=HubRule(frozenset(row["chat_nos"]), frozenset(row["tags"])),
        waits_until=row["waits_until"],
    )
