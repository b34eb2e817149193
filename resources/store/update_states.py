"""The repository of where updates stand: each account's, each chat's, and the listener's pulse.

Written together with the inbox (``inbox``), never by itself ahead of it. A chat that begins to be
heard gets a gap in each of its windows: what happened between their reading and now is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import class_row

from archive.ids import AccountId, ChatId, ChatNo
from archive.listening import HeardChat, Standing, UpdateState
from archive.reconciling import Top
from archive.records import Chat
from resources.store.chats import chats_heard_by, hubs_heard_by
from resources.store.database import Database

_STATE = """
SELECT pts, qts, seq, state_date FROM update_state WHERE account_id = %s AND pts IS NOT NULL
"""

_HEARD = "SELECT chat_no, pts FROM heard_chats WHERE account_id = %s"

# What is not allowed any more is not heard without a break either.
_FORGET = """
DELETE FROM heard_chats USING chats
WHERE heard_chats.chat_no = chats.chat_no AND heard_chats.account_id = %(account_id)s
  AND NOT ((allow_archive OR is_hub) AND state = 'active'
           AND chats.account_id = heard_chats.account_id)
"""

_SAVE_STATE = """
INSERT INTO update_state (account_id, pts, qts, seq, state_date, heartbeat_at)
VALUES (%(account_id)s, %(pts)s, %(qts)s, %(seq)s, %(date)s, now())
ON CONFLICT (account_id) DO UPDATE
SET pts = excluded.pts, qts = excluded.qts, seq = excluded.seq,
    state_date = excluded.state_date, heartbeat_at = excluded.heartbeat_at
"""

_SAVE_CHANNELS = """
UPDATE heard_chats SET pts = moved.pts
FROM unnest(%(chat_ids)s::bigint[], %(pts)s::bigint[]) AS moved (chat_id, pts)
JOIN chats USING (chat_id)
WHERE chats.id_space = 'own' AND heard_chats.chat_no = chats.chat_no
  AND heard_chats.account_id = %(account_id)s
"""

# Not before the account's own place is stored: a restart could not go on from here without it.
_BEGIN = """
INSERT INTO heard_chats (account_id, chat_no, pts)
SELECT %(account_id)s, begun.*
FROM unnest(%(chat_nos)s::bigint[], %(pts)s::bigint[]) AS begun
WHERE EXISTS (
    SELECT FROM update_state WHERE account_id = %(account_id)s AND pts IS NOT NULL)
ON CONFLICT DO NOTHING
RETURNING chat_no
"""

_GAPS = """
INSERT INTO inbox (chat_no, message_id, change)
SELECT chat_no, first_id, 'gap' FROM windows
WHERE chat_no = ANY(%s::bigint[]) ORDER BY first_id DESC
"""

_BEAT = """
INSERT INTO update_state (account_id, heartbeat_at) VALUES (%s, now())
ON CONFLICT (account_id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at
"""

_PULSES = """
SELECT accounts.account_id, accounts.name,
       extract(epoch FROM now() - heartbeat_at)::float AS heartbeat_seconds_ago,
       coalesce(waiting.updates, 0) AS updates_waiting,
       coalesce(waiting.lag_seconds, 0)::float AS lag_seconds
FROM accounts
LEFT JOIN update_state USING (account_id)
LEFT JOIN (
    SELECT account_id, count(*) AS updates,
           extract(epoch FROM now() - min(created_at)) AS lag_seconds
    FROM unanswered_updates GROUP BY account_id
) AS waiting USING (account_id)
WHERE accounts.state <> 'removed'
ORDER BY accounts.created_at, accounts.account_id
"""


@dataclass(frozen=True, slots=True)
class Pulse:
    """How live an account's chats are.

    Attributes:
        heartbeat_seconds_ago: When its listener last said that it is alive; ``None`` for never.
        updates_waiting: Live updates that no reading has answered.
        lag_seconds: How long the oldest of them waits; 0 where none does.
    """

    account_id: AccountId
    name: str
    heartbeat_seconds_ago: float | None
    updates_waiting: int
    lag_seconds: float


class UpdateStateStore:
    """Where updates stand, in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self, account_id: AccountId) -> Standing:
        """Return where listening goes on from, and which chats, hubs too, are to be heard."""
        with self._database.transaction() as connection:
            connection.execute(_FORGET, {"account_id": account_id})
            row = connection.execute(_STATE, (account_id,)).fetchone()
            pts: dict[ChatNo, int | None] = dict(connection.execute(_HEARD, (account_id,)))
            chats = chats_heard_by(connection, account_id) + hubs_heard_by(connection, account_id)
        return Standing(
            UpdateState(*row) if row else None,
            tuple(HeardChat(chat, pts[chat.chat_no]) for chat in chats if chat.chat_no in pts),
            tuple(chat for chat in chats if chat.chat_no not in pts),
        )

    def begin(self, account_id: AccountId, tops: Sequence[Top]) -> Sequence[Chat]:
        """Remember from where on chats are heard, each with a gap in all of its windows.

        Returns:
            Those that were not heard before.
        """
        parameters = {
            "account_id": account_id,
            "chat_nos": [top.chat.chat_no for top in tops],
            "pts": [top.pts for top in tops],
        }
        with self._database.transaction() as connection:
            begun = {chat_no for (chat_no,) in connection.execute(_BEGIN, parameters)}
            connection.execute(_GAPS, (list(begun),))
        return [top.chat for top in tops if top.chat.chat_no in begun]

    def beat(self, account_id: AccountId) -> None:
        """Say that the account's listener is alive."""
        with self._database.transaction() as connection:
            connection.execute(_BEAT, (account_id,))

    def pulses(self) -> list[Pulse]:
        """Say of each account how live its chats are."""
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(Pulse)) as cursor,
        ):
            return cursor.execute(_PULSES).fetchall()


def save_state(
    connection: Connection,
    account_id: AccountId,
    state: UpdateState | None,
    channels: Mapping[ChatId, int],
) -> None:
    """Write where updates stand, in the transaction that stores what brought them there."""
    if state is not None:
        connection.execute(
            _SAVE_STATE,
            {
                "account_id": account_id,
                "pts": state.pts,
                "qts": state.qts,
                "seq": state.seq,
                "date": state.date,
            },
        )
    if channels:
        connection.execute(
            _SAVE_CHANNELS,
            {
                "account_id": account_id,
                "chat_ids": list(channels),
                "pts": list(channels.values()),
            },
        )


def note_gaps(connection: Connection, chat_nos: Sequence[ChatNo]) -> None:
    """Say of every window of these chats that updates about it are lost."""
    connection.execute(_GAPS, (list(chat_nos),))
