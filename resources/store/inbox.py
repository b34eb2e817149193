"""The repository of live updates that no reading has answered yet.

Implements ``archive.listening.InboxStore``. Which updates are answered by a page is stored with
that page, in ``history``.
"""

from __future__ import annotations

from collections.abc import Sequence

from archive.history_ports import Plan
from archive.ids import AccountId, ChatNo, MessageId
from archive.listening import Change, Waiting
from archive.records import Chat
from archive.windows import Window
from resources.store import windows as rows
from resources.store.chats import chat_meant, chat_of
from resources.store.database import Database

# In the shared id space of an account a message id is in one chat only.
_HOLDER = """
SELECT messages.chat_no
FROM chats JOIN messages USING (chat_no)
WHERE chats.account_id = %s AND chats.id_space = 'account' AND messages.message_id = %s
LIMIT 1
"""

_ADD = "INSERT INTO inbox (chat_no, message_id, change) VALUES (%s, %s, %s)"

_WAITING = """
SELECT inbox_id, inbox.chat_no, message_id, windows.first_id, windows.last_id
FROM inbox
JOIN chats USING (chat_no)
LEFT JOIN windows
    ON windows.chat_no = inbox.chat_no
    AND inbox.message_id BETWEEN windows.first_id AND windows.last_id
WHERE applied_at IS NULL AND chats.allow_archive AND chats.window_width IS NOT NULL
ORDER BY inbox_id
LIMIT %s
"""


class PostgresInbox:
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

    def source_of(self, account_id: AccountId, change: Change) -> Chat | None:
        """Return the chat that a change speaks of; ``None`` where it is not known."""
        with self._database.transaction() as connection:
            if change.chat_id is not None:
                return chat_meant(connection, change.chat_id, account_id)
            row = connection.execute(_HOLDER, (account_id, change.message_id)).fetchone()
            return None if row is None else chat_of(connection, ChatNo(row[0]))

    def add(self, chat_no: ChatNo, change: Change) -> None:
        """Remember a change until it is read."""
        with self._database.transaction() as connection:
            connection.execute(_ADD, (chat_no, change.message_id, change.change))

    def waiting(self, limit: int) -> Sequence[Waiting]:
        """Return the oldest unanswered updates of chats that are archived and planned."""
        with self._database.transaction() as connection:
            return [
                Waiting(inbox_id, chat_no, message_id, _window(chat_no, first, last))
                for inbox_id, chat_no, message_id, first, last in connection.execute(
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


def _window(chat_no: ChatNo, first: MessageId | None, last: MessageId | None) -> Window | None:
    return None if first is None or last is None else Window(chat_no, first, last)
