"""Messages and their media, written in bulk as each page brings them; what they were before stays.

Statements on a connection that the caller opened; repeating them changes nothing. What a page
says about windows and live updates is in ``history``; the ledger of products is not written here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from psycopg import Connection

from archive.exports.records import EXPORTED
from archive.ids import AccountId, ChatNo, MessageId
from archive.records import Message
from resources.store.deletion_marks import withdraw
from resources.store.media_seen import clean_text, upsert_access, upsert_media
from resources.store.superseding import supersede

# An older answer, committed late, neither undoes an edit nor revives what was deleted after it
# was asked for.
_MESSAGES = """
INSERT INTO messages AS known (
    chat_no, message_id, kind, sent_at, edited_at, sender_id, text, reply_to_id, topic_id,
    grouped_id, forwarded_from, forwarded_message_id, forwarded_at, raw)
SELECT %(chat_no)s, page.*
FROM unnest(%(ids)s::bigint[], %(kinds)s::text[], %(sent)s::timestamptz[],
            %(edited)s::timestamptz[], %(senders)s::bigint[], %(texts)b::text[],
            %(replies)s::bigint[], %(topics)s::bigint[], %(groups)s::bigint[],
            %(forwarded_from)s::bigint[], %(forwarded_ids)s::bigint[],
            %(forwarded_at)s::timestamptz[], %(raws)b::text[]::jsonb[]) AS page
ON CONFLICT (chat_no, message_id) DO UPDATE
SET kind = excluded.kind, sent_at = excluded.sent_at, edited_at = excluded.edited_at,
    sender_id = excluded.sender_id, text = excluded.text, reply_to_id = excluded.reply_to_id,
    topic_id = excluded.topic_id, grouped_id = excluded.grouped_id,
    forwarded_from = excluded.forwarded_from,
    forwarded_message_id = excluded.forwarded_message_id,
    forwarded_at = excluded.forwarded_at, raw = excluded.raw,
    deleted_at = CASE WHEN known.deleted_at >= %(as_of)s THEN known.deleted_at END
WHERE coalesce(excluded.edited_at, '-infinity') >= coalesce(known.edited_at, '-infinity')
   -- What an export told makes way for what Telegram says, whenever it was edited.
   OR known.raw ->> '_' = %(exported)s
RETURNING message_id, xmax = 0 AS added
"""

# Of two versions the one that is not in `messages` afterwards, by the same rule as above: what a
# late answer to an old question brings was a version too. An edit of the formatting alone is one;
# where only counters or reactions differ there is none.
_KEEP_VERSIONS = """
WITH page AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(sent)s::timestamptz[], %(edited)s::timestamptz[],
                         %(texts)b::text[], %(carried)s::text[], %(raws)b::text[]::jsonb[])
        AS page (message_id, sent_at, edited_at, text, media_id, raw)
), known AS (
    SELECT message_id, sent_at, edited_at, text, raw,
           (SELECT min(media_id) FROM message_media
            WHERE message_media.chat_no = messages.chat_no
              AND message_media.message_id = messages.message_id) AS media_id,
           raw ->> '_' IS NOT DISTINCT FROM %(exported)s AS is_exported
    FROM messages WHERE chat_no = %(chat_no)s AND message_id = ANY(%(ids)s::bigint[])
), versions AS (
    SELECT message_id, known.text AS known_text, known.media_id AS known_media_id,
           known.raw AS known_raw, coalesce(known.edited_at, known.sent_at) AS known_at,
           page.text, page.media_id, page.raw, coalesce(page.edited_at, page.sent_at) AS page_at,
           coalesce(page.edited_at, '-infinity') >= coalesce(known.edited_at, '-infinity')
               AS is_newer
    FROM page JOIN known USING (message_id)
    WHERE (page.edited_at, page.text) IS DISTINCT FROM (known.edited_at, known.text)
       -- An export has no names of files: the same picture under Telegram's name is no edit.
       OR page.media_id IS DISTINCT FROM known.media_id AND NOT is_exported
)
INSERT INTO message_versions (chat_no, message_id, written_at, text, media_id, raw)
SELECT %(chat_no)s, message_id,
       CASE WHEN is_newer THEN known_at ELSE page_at END,
       CASE WHEN is_newer THEN known_text ELSE text END,
       CASE WHEN is_newer THEN known_media_id ELSE media_id END,
       CASE WHEN is_newer THEN known_raw ELSE raw END
FROM versions
ON CONFLICT DO NOTHING
"""

_COPY = """
COPY messages (
    chat_no, message_id, kind, sent_at, edited_at, sender_id, text, reply_to_id, topic_id,
    grouped_id, forwarded_from, forwarded_message_id, forwarded_at, raw)
FROM STDIN
"""
_COPIED = (
    *("ids", "kinds", "sent", "edited", "senders", "texts", "replies", "topics", "groups"),
    *("forwarded_from", "forwarded_ids", "forwarded_at", "raws"),
)

_MAY_KNOW = """
SELECT EXISTS (
    SELECT FROM messages
    WHERE chat_no = %(chat_no)s AND message_id BETWEEN %(first)s AND %(last)s)
"""

# An edit may have taken the medium away or put another in its place.
_UNLINK = """
DELETE FROM message_media
WHERE chat_no = %(chat_no)s AND message_id = ANY(%(stored)s::bigint[])
  AND (message_id, media_id) NOT IN (
      SELECT * FROM unnest(%(ids)s::bigint[], %(media_ids)s::text[]))
RETURNING message_id, media_id
"""

_LINK = """
INSERT INTO message_media (chat_no, message_id, media_id)
SELECT %(chat_no)s, page.*
FROM unnest(%(ids)s::bigint[], %(media_ids)s::text[]) AS page
ON CONFLICT DO NOTHING
RETURNING message_id
"""

# The new medium asks for a media pass, should this run not come to it.
_DIRTY = """
UPDATE windows SET dirty = true, demands = demands + 1
WHERE chat_no = %(chat_no)s AND EXISTS (
    SELECT FROM unnest(%(replaced)s::bigint[]) AS replaced (message_id)
    WHERE message_id BETWEEN first_id AND last_id)
"""


def upsert_messages(
    connection: Connection,
    chat_no: ChatNo,
    account_id: AccountId,
    messages: Sequence[Message],
    as_of: datetime,
) -> int:
    """Write messages with their media, and which medium is in which message.

    Args:
        connection: An open transaction that holds the chat's row, so that nobody else writes.
        chat_no: The chat they are in.
        account_id: The account that read them: references to files are its own.
        messages: Any of them may be known already.
        as_of: The store's time before they were asked for.

    Returns:
        How many were not there before.
    """
    if not messages:
        return 0
    # In one order everywhere, so that two pages with the same media cannot deadlock.
    page = sorted({m.message_id: m for m in messages}.values(), key=lambda m: m.message_id)
    upsert_media(connection, [m.media for m in page if m.media is not None])
    upsert_access(connection, account_id, [m.access for m in page if m.access is not None])
    columns = _columns(chat_no, page, as_of)
    if may_know(connection, chat_no, columns["ids"]):
        return _merge(connection, chat_no, page, columns)
    # Old history brings nothing but new messages, and comparing costs as much as writing.
    _copy(connection, columns)
    connection.execute(_LINK, _links(chat_no, page))
    return len(page)


def _merge(
    connection: Connection, chat_no: ChatNo, page: Sequence[Message], columns: Mapping[str, Any]
) -> int:
    """Write messages some of which may be known; return how many were not."""
    connection.execute(_KEEP_VERSIONS, columns)
    added: dict[MessageId, bool] = dict(connection.execute(_MESSAGES, columns).fetchall())
    linked = _link(connection, chat_no, [m for m in page if m.message_id in added])
    if replaced := [message_id for message_id in linked if not added[message_id]]:
        connection.execute(_DIRTY, {"chat_no": chat_no, "replaced": replaced})
    return sum(added.values())


def _copy(connection: Connection, columns: Mapping[str, Any]) -> None:
    """Write messages of which none is there: half the work of looking for each first."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in zip(repeat(columns["chat_no"]), *(columns[name] for name in _COPIED)):
            copy.write_row(row)


def may_know(connection: Connection, chat_no: ChatNo, ids: Sequence[MessageId]) -> bool:
    """Say whether anything between the first and the last of these messages is there already."""
    span = {"chat_no": chat_no, "first": min(ids), "last": max(ids)}
    found = connection.execute(_MAY_KNOW, span).fetchone()
    return found is not None and bool(found[0])


def _link(connection: Connection, chat_no: ChatNo, stored: Sequence[Message]) -> list[MessageId]:
    """Make the links of messages equal to what they say; return those with a new one."""
    parameters = _links(chat_no, stored)
    lost = connection.execute(_UNLINK, parameters).fetchall()
    linked = connection.execute(_LINK, parameters).fetchall()
    supersede(connection, lost, dict(zip(parameters["ids"], parameters["media_ids"], strict=True)))
    withdraw(connection, [media_id for _, media_id in lost])
    return [message_id for (message_id,) in linked]


def _links(chat_no: ChatNo, messages: Sequence[Message]) -> dict[str, Any]:
    shown = [(m.message_id, m.media.media_id) for m in messages if m.media]
    return {
        "chat_no": chat_no,
        "stored": [m.message_id for m in messages],
        "ids": [message_id for message_id, _ in shown],
        "media_ids": [media_id for _, media_id in shown],
    }


def _columns(chat_no: ChatNo, page: Sequence[Message], as_of: datetime) -> dict[str, Any]:
    return {
        "chat_no": chat_no,
        "as_of": as_of,
        "exported": EXPORTED,
        "ids": [m.message_id for m in page],
        "kinds": [m.kind.value for m in page],
        "sent": [m.sent_at for m in page],
        "edited": [m.edited_at for m in page],
        "senders": [m.sender_id for m in page],
        "texts": [clean_text(m.text) for m in page],
        "replies": [m.reply_to_id for m in page],
        "topics": [m.topic_id for m in page],
        "groups": [m.grouped_id for m in page],
        "forwarded_from": [m.forwarded_from for m in page],
        "forwarded_ids": [m.forwarded_message_id for m in page],
        "forwarded_at": [m.forwarded_at for m in page],
        "raws": [clean_json(m.raw) for m in page],
        "carried": [m.media and m.media.media_id for m in page],
    }


def clean_json(raw: str) -> str:
    r"""Do the same in JSON, where it is written ``\u0000``; an escaped backslash is left alone."""
    if "\\u0000" not in raw:
        return raw
    return json.dumps(_without_nul(json.loads(raw)), ensure_ascii=False, separators=(",", ":"))


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\x00", "")
        case list():
            return [_without_nul(item) for item in value]
        case dict():
            return {_without_nul(key): _without_nul(item) for key, item in value.items()}
        case _:
            return value
