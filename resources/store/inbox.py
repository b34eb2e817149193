"""The repository of live updates that no reading has answered yet.

Implements ``archive.listening.InboxStore`` and ``archive.reconciling.TopsStore``. Which updates
are answered by a page is stored with that page, in ``history``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from psycopg import Connection

from archive.history.ports import Plan
from archive.ids import AccountId, ChatId, ChatNo, MessageId
from archive.listening import Heard, Waiting
from archive.records import Chat
from archive.windows import Window
from resources.store import windows as rows
from resources.store.chats import chat_of, chats_heard_by
from resources.store.database import Database
from resources.store.dialogs import note_seen
from resources.store.remarks import give_up_remarks, keep_remarks
from resources.store.update_states import note_gaps, save_state

# What happens in a hub stays out, our own posts above all; what is said there is ``remarks``'.
_KEEP = """
INSERT INTO inbox (chat_no, message_id, change)
SELECT chats.chat_no, heard.message_id, heard.change
FROM unnest(%(chat_ids)s::bigint[], %(message_ids)s::bigint[], %(changes)s::text[])
    WITH ORDINALITY AS heard (chat_id, message_id, change, place)
JOIN chats USING (chat_id)
WHERE chats.account_id = %(account_id)s AND chats.allow_archive AND NOT chats.is_hub
ORDER BY place
"""

# A deletion without a chat: in the shared id space of an account a message id is in one chat
# only. While a window is being read its page may hold a message that is stored a moment from
# now, so a reading under way is told too.
_KEEP_NAMELESS = """
INSERT INTO inbox (chat_no, message_id, change)
SELECT chats.chat_no, gone.message_id, 'deleted'
FROM unnest(%(gone)s::bigint[]) AS gone (message_id) CROSS JOIN chats
WHERE chats.account_id = %(account_id)s AND chats.id_space = 'account'
  AND chats.allow_archive AND NOT chats.is_hub
  AND (EXISTS (
           SELECT FROM messages
           WHERE messages.chat_no = chats.chat_no AND messages.message_id = gone.message_id)
       OR EXISTS (
           SELECT FROM windows
           WHERE windows.chat_no = chats.chat_no
             AND gone.message_id BETWEEN first_id AND last_id
             AND (read_at IS NULL OR cursor_id IS NOT NULL OR watermark < gone.message_id
                  OR EXISTS (
                      SELECT FROM inbox
                      WHERE applied_at IS NULL AND inbox.chat_no = windows.chat_no
                        AND inbox.message_id BETWEEN first_id AND last_id))))
"""

_LOST_IN = """
SELECT chat_no FROM chats
WHERE account_id = %(account_id)s AND allow_archive AND NOT is_hub
  AND (chat_id = ANY(%(chat_ids)s::bigint[]) OR %(in_account_space)s AND id_space = 'account')
"""

_WAITING = """
SELECT max(inbox_id), chat_no, max(message_id), first_id, last_id, bool_and(change = 'gap'),
       extract(epoch FROM now() - max(created_at))::float
FROM unanswered_updates
GROUP BY chat_no, first_id, last_id, CASE WHEN first_id IS NULL THEN message_id END
ORDER BY bool_and(change = 'gap'), min(inbox_id)
LIMIT %s
"""

_NOTE_TOPS = """
INSERT INTO inbox (chat_no, message_id, change)
SELECT chats.chat_no, tops.message_id, 'new'
FROM unnest(%(chat_nos)s::bigint[], %(message_ids)s::bigint[]) AS tops (chat_no, message_id)
JOIN chats USING (chat_no)
LEFT JOIN windows
    ON windows.chat_no = tops.chat_no AND tops.message_id BETWEEN first_id AND last_id
WHERE chats.allow_archive AND NOT chats.is_hub AND chats.window_width IS NOT NULL
  AND (first_id IS NULL
       OR watermark < tops.message_id
          -- A window nobody began is the backfill's, and a held backfill is the owner's wish.
          AND (read_at IS NOT NULL OR cursor_id IS NOT NULL
               OR tops.message_id > chats.planned_through))
  AND NOT EXISTS (
      SELECT FROM messages
      WHERE messages.chat_no = tops.chat_no AND messages.message_id = tops.message_id)
  AND NOT EXISTS (
      SELECT FROM inbox
      WHERE applied_at IS NULL AND change = 'new' AND inbox.chat_no = tops.chat_no
        AND inbox.message_id >= tops.message_id)
"""


_PRUNE = """
DELETE FROM inbox WHERE inbox_id IN (
    SELECT inbox_id FROM inbox
    WHERE applied_at < now() - %(kept)s
    ORDER BY inbox_id
    LIMIT 100000)
"""

KEPT_FOR = timedelta(days=14)
"""How long answered updates are kept, for a person who asks what was heard and when."""


class InboxStore:
    """Live updates in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def chat(self, chat_no: ChatNo) -> Chat:
        """Return a chat; ``Permanent`` where there is none of that number."""
        with self._database.transaction() as connection:
            return chat_of(connection, chat_no)

    def keep(self, account_id: AccountId, heard: Heard) -> int:
        """Store what concerns archived chats and hubs, and the new state, all at once."""
        named = [change for change in heard.changes if change.chat_id is not None]
        parameters = {
            "account_id": account_id,
            "chat_ids": [change.chat_id for change in named],
            "message_ids": [change.message_id for change in named],
            "changes": [change.change for change in named],
            "gone": [each.message_id for each in heard.changes if each.chat_id is None],
        }
        with self._database.transaction() as connection:
            note_seen(connection, account_id, heard.seen)
            kept = connection.execute(_KEEP, parameters).rowcount if named else 0
            if parameters["gone"]:
                kept += connection.execute(_KEEP_NAMELESS, parameters).rowcount
            if heard.remarks:
                keep_remarks(connection, account_id, heard.remarks)
            if heard.lost_in:
                note_gaps(connection, _lost_in(connection, account_id, heard.lost_in))
            save_state(connection, account_id, heard.state, heard.channels)
        return kept

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return the windows that unanswered updates ask for: repairs last, oldest first."""
        with self._database.transaction() as connection:
            return [
                Waiting(last, chat_no, message_id, _window(chat_no, low, high), is_repair, age)
                for last, chat_no, message_id, low, high, is_repair, age in connection.execute(
                    _WAITING, (limit,)
                )
            ]

    def planned_through(self, chat_no: ChatNo) -> MessageId:
        """Return the id up to which every message lies in a planned window; 0 for none."""
        with self._database.transaction() as connection:
            return rows.planned_through(connection, chat_no)

    def add_windows(self, chat_no: ChatNo, plan: Plan) -> tuple[Window, ...]:
        """Remember windows and how far they cover; return the new ones."""
        with self._database.transaction() as connection:
            return rows.add_windows(connection, chat_no, plan)

    def sources(self, account_id: AccountId) -> Sequence[Chat]:
        """Return the chats that an account archives and can see."""
        with self._database.transaction() as connection:
            return chats_heard_by(connection, account_id)

    def note_tops(self, tops: Mapping[ChatNo, MessageId]) -> int:
        """Put newest messages into the inbox that neither it nor a reading knows."""
        parameters = {"chat_nos": list(tops), "message_ids": list(tops.values())}
        with self._database.transaction() as connection:
            return connection.execute(_NOTE_TOPS, parameters).rowcount

    def prune(self) -> int:
        """Forget updates that were answered long ago, so many at a time; say how many.

        Also the words of remarks that nobody could judge for as long.
        """
        with self._database.transaction() as connection:
            give_up_remarks(connection, KEPT_FOR)
            return connection.execute(_PRUNE, {"kept": KEPT_FOR}).rowcount


def _lost_in(
    connection: Connection, account_id: AccountId, chat_ids: frozenset[ChatId | None]
) -> list[ChatNo]:
    parameters = {
        "account_id": account_id,
        "chat_ids": [chat_id for chat_id in chat_ids if chat_id is not None],
        "in_account_space": None in chat_ids,
    }
    return [ChatNo(chat_no) for (chat_no,) in connection.execute(_LOST_IN, parameters)]


def _window(chat_no: ChatNo, first: MessageId | None, last: MessageId | None) -> Window | None:
    return None if first is None or last is None else Window(chat_no, first, last)
