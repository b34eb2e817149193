"""Marks of deletion on messages: set where an answer proves one, held where they are too many.

All of it works inside the transaction that stores a page, where the chat's row is locked: two pages
never count apart. What becomes of held ones, and of contents that nothing shows, is ``deletions``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from psycopg import Connection

from archive.deletions import BURST_WINDOW, is_burst
from archive.ids import ChatNo, MessageId

# Only what was stored before the question: a message that came later is not in the answer.
_MISSING = """
SELECT message_id FROM messages
WHERE chat_no = %(chat_no)s AND message_id BETWEEN %(first_id)s AND %(last_id)s
  AND (%(named)s::bigint[] IS NULL OR message_id = ANY(%(named)s::bigint[]))
  AND deleted_at IS NULL AND created_at < %(as_of)s
  AND message_id <> ALL(%(received)s::bigint[])
  AND NOT EXISTS (
      SELECT FROM held_deletions
      WHERE held_deletions.chat_no = messages.chat_no
        AND held_deletions.message_id = messages.message_id)
"""

# What a person confirmed is no part of what is to be asked about.
_RECENT = """
SELECT message_id FROM messages
WHERE chat_no = %(chat_no)s AND deleted_at > now() - %(window)s
  AND NOT EXISTS (
      SELECT FROM held_deletions
      WHERE held_deletions.chat_no = messages.chat_no
        AND held_deletions.message_id = messages.message_id)
"""

_HELD_RECENTLY = """
SELECT count(*) FROM held_deletions
WHERE chat_no = %(chat_no)s AND decision IS NULL AND seen_at > now() - %(window)s
"""

_MARK = """
UPDATE messages SET deleted_at = now()
WHERE chat_no = %(chat_no)s AND message_id = ANY(%(ids)s::bigint[])
"""

_HOLD = """
INSERT INTO held_deletions (chat_no, message_id, seen_at)
SELECT chat_no, message_id, coalesce(deleted_at, now()) FROM messages
WHERE chat_no = %(chat_no)s AND message_id = ANY(%(ids)s::bigint[])
"""

_UNMARK = """
UPDATE messages SET deleted_at = NULL
WHERE chat_no = %(chat_no)s AND message_id = ANY(%(ids)s::bigint[]) AND deleted_at IS NOT NULL
"""

# It exists after all; an answer to an older question does not say so.
_CAME_BACK = """
DELETE FROM held_deletions
WHERE chat_no = %(chat_no)s AND message_id = ANY(%(received)s::bigint[]) AND seen_at < %(as_of)s
"""

# Never sent, and nothing that may be published shows it any more.
_WITHDRAW = """
DELETE FROM publications
WHERE state = 'planned'
  AND content_key IN (SELECT content_key FROM media WHERE media_id = ANY(%(media_ids)s::text[]))
  AND NOT EXISTS (
      SELECT FROM content_sources
      WHERE content_sources.content_key = publications.content_key AND allow_publish)
"""

_MEDIA_OF = """
SELECT DISTINCT media_id FROM message_media
WHERE chat_no = %(chat_no)s AND message_id = ANY(%(ids)s::bigint[])
"""


class Marked(NamedTuple):
    """What became of the messages that an answer lacks."""

    deleted: int
    held: int


def mark_deleted(connection: Connection, page: dict[str, Any], burst: int) -> Marked:
    """Mark what a page proves to be missing, or hold it where it is one of too many.

    Args:
        connection: An open transaction that has locked the chat.
        page: What the page proves: ``chat_no``, ``first_id``, ``last_id``, ``named``,
            ``received``, ``as_of``.
        burst: More deletions than this within the window wait for a person, all of them.
    """
    connection.execute(_CAME_BACK, page)
    missing = _ids(connection, _MISSING, page)
    if not missing:
        return Marked(0, 0)
    chat = {"chat_no": page["chat_no"], "window": BURST_WINDOW}
    recent = _ids(connection, _RECENT, chat)
    held = connection.execute(_HELD_RECENTLY, chat).fetchone()
    if is_burst(len(missing) + len(recent) + (held[0] if held else 0), burst):
        together = chat | {"ids": missing + recent}
        connection.execute(_HOLD, together)
        connection.execute(_UNMARK, together)
        return Marked(0, len(missing))
    connection.execute(_MARK, chat | {"ids": missing})
    withdraw_of(connection, page["chat_no"], missing)
    return Marked(len(missing), 0)


def withdraw(connection: Connection, media_ids: Collection[str]) -> None:
    """Take back planned posts of contents that nothing shows any more."""
    if media_ids:
        connection.execute(_WITHDRAW, {"media_ids": list(media_ids)})


def withdraw_of(connection: Connection, chat_no: ChatNo, ids: Sequence[MessageId]) -> None:
    """Take back planned posts of what deleted messages showed and nothing else shows."""
    media = connection.execute(_MEDIA_OF, {"chat_no": chat_no, "ids": list(ids)}).fetchall()
    withdraw(connection, [media_id for (media_id,) in media])


def _ids(connection: Connection, query: Any, values: dict[str, Any]) -> list[MessageId]:
    return [message_id for (message_id,) in connection.execute(query, values)]
