"""The repository of the topics of source chats; those of hubs are in ``topics``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from psycopg.rows import class_row

from archive.ids import ChatNo
from archive.records import ForumTopic
from resources.store.database import Database

_IS_DUE = """
SELECT is_forum AND coalesce(topics_read_at, '-infinity') < now() - %(every)s
FROM chats WHERE chat_no = %(chat_no)s
"""

_UPSERT = """
INSERT INTO forum_topics AS known (
    chat_no, topic_id, title, opened_at, icon_color, creator_id, is_closed, is_hidden, is_pinned)
SELECT %(chat_no)s, topic.*
FROM unnest(%(ids)s::bigint[], %(titles)s::text[], %(opened)s::timestamptz[],
            %(colors)s::integer[], %(creators)s::bigint[], %(closed)s::boolean[],
            %(hidden)s::boolean[], %(pinned)s::boolean[]) AS topic
ON CONFLICT (chat_no, topic_id) DO UPDATE
SET title = excluded.title, opened_at = excluded.opened_at, icon_color = excluded.icon_color,
    creator_id = excluded.creator_id, is_closed = excluded.is_closed,
    is_hidden = excluded.is_hidden, is_pinned = excluded.is_pinned, deleted_at = NULL,
    updated_at = now()
WHERE (known.title, known.opened_at, known.icon_color, known.creator_id, known.is_closed,
       known.is_hidden, known.is_pinned, known.deleted_at)
    IS DISTINCT FROM (excluded.title, excluded.opened_at, excluded.icon_color,
                      excluded.creator_id, excluded.is_closed, excluded.is_hidden,
                      excluded.is_pinned, NULL::timestamptz)
"""

_MARK_DELETED = """
UPDATE forum_topics SET deleted_at = now()
WHERE chat_no = %(chat_no)s AND deleted_at IS NULL AND topic_id <> ALL(%(ids)s::bigint[])
"""

_MARK_READ = "UPDATE chats SET topics_read_at = now() WHERE chat_no = %(chat_no)s"

_OF_CHAT = """
SELECT topic_id, title, opened_at, icon_color, creator_id, is_closed, is_hidden, is_pinned
FROM forum_topics WHERE chat_no = %s AND deleted_at IS NULL ORDER BY topic_id
"""


class ForumTopicStore:
    """Topics in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_due(self, chat_no: ChatNo, every: timedelta) -> bool:
        """Whether a chat is a forum whose topics were last read longer ago than that."""
        parameters = {"chat_no": chat_no, "every": every}
        with self._database.transaction() as connection:
            row = connection.execute(_IS_DUE, parameters).fetchone()
        return bool(row and row[0])

    def replace(self, chat_no: ChatNo, topics: Sequence[ForumTopic]) -> None:
        """Make the stored topics of a chat equal to these; one that is gone is marked so."""
        values = {
            "chat_no": chat_no,
            "ids": [topic.topic_id for topic in topics],
            "titles": [topic.title for topic in topics],
            "opened": [topic.opened_at for topic in topics],
            "colors": [topic.icon_color for topic in topics],
            "creators": [topic.creator_id for topic in topics],
            "closed": [topic.is_closed for topic in topics],
            "hidden": [topic.is_hidden for topic in topics],
            "pinned": [topic.is_pinned for topic in topics],
        }
        with self._database.transaction() as connection:
            connection.execute(_UPSERT, values)
            connection.execute(_MARK_DELETED, values)
            connection.execute(_MARK_READ, values)

    def list(self, chat_no: ChatNo) -> list[ForumTopic]:
        """Return the topics that a chat has, General first."""
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=class_row(ForumTopic)) as cursor,
        ):
            return cursor.execute(_OF_CHAT, (chat_no,)).fetchall()
