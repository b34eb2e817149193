"""Messages and their media, written in bulk as each page brings them; what they were before stays.

Statements on a connection that the caller opened; repeating them changes nothing. What a page
says about windows and live updates is in ``history``; the ledger of products is not written here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from archive.exports.records import EXPORTED
from archive.ids import AccountId, ChatNo, MediaId, MessageId
from archive.records import MediaAccess, MediaFile, Message
from resources.store.deletions import withdraw
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

_MAY_KNOW = """
SELECT EXISTS (
    SELECT FROM messages
    WHERE chat_no = %(chat_no)s AND message_id BETWEEN %(first)s AND %(last)s)
"""

_MEDIA = """
INSERT INTO media AS known (
    media_id, kind, mime_type, file_name, size_bytes, width, height, duration_seconds, dc_id,
    variant)
SELECT * FROM unnest(
    %(ids)s::text[], %(kinds)s::text[], %(mime_types)s::text[], %(names)s::text[],
    %(sizes)s::bigint[], %(widths)s::integer[], %(heights)s::integer[],
    %(durations)s::double precision[], %(dcs)s::integer[], %(variants)s::text[])
ON CONFLICT (media_id) DO UPDATE
SET kind = excluded.kind, mime_type = excluded.mime_type, file_name = excluded.file_name,
    size_bytes = excluded.size_bytes, width = excluded.width, height = excluded.height,
    duration_seconds = excluded.duration_seconds, dc_id = excluded.dc_id,
    variant = excluded.variant
WHERE (known.kind, known.mime_type, known.file_name, known.size_bytes, known.width,
       known.height, known.duration_seconds, known.dc_id, known.variant)
    IS DISTINCT FROM (excluded.kind, excluded.mime_type, excluded.file_name,
                      excluded.size_bytes, excluded.width, excluded.height,
                      excluded.duration_seconds, excluded.dc_id, excluded.variant)
"""

_ACCESS = """
INSERT INTO media_access AS known (account_id, media_id, access_hash, file_reference)
SELECT %(account_id)s, seen.*
FROM unnest(%(ids)s::text[], %(hashes)s::bigint[], %(references)s::bytea[]) AS seen
ON CONFLICT (account_id, media_id) DO UPDATE
SET access_hash = excluded.access_hash, file_reference = excluded.file_reference,
    updated_at = now()
WHERE (known.access_hash, known.file_reference)
    IS DISTINCT FROM (excluded.access_hash, excluded.file_reference)
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
        connection: An open transaction.
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
    _upsert_media(connection, [m.media for m in page if m.media is not None])
    _upsert_access(connection, account_id, [m.access for m in page if m.access is not None])
    columns = _columns(chat_no, page, as_of)
    # Old history brings nothing but new messages, and comparing costs as much as writing.
    if may_know(connection, chat_no, columns["ids"]):
        connection.execute(_KEEP_VERSIONS, columns)
    added: dict[MessageId, bool] = dict(connection.execute(_MESSAGES, columns).fetchall())
    linked = _link(connection, chat_no, page, list(added))
    if replaced := [message_id for message_id in linked if not added[message_id]]:
        connection.execute(_DIRTY, {"chat_no": chat_no, "replaced": replaced})
    return sum(added.values())


def may_know(connection: Connection, chat_no: ChatNo, ids: Sequence[MessageId]) -> bool:
    """Say whether anything between the first and the last of these messages is there already."""
    span = {"chat_no": chat_no, "first": min(ids), "last": max(ids)}
    found = connection.execute(_MAY_KNOW, span).fetchone()
    return found is not None and bool(found[0])


def _link(
    connection: Connection, chat_no: ChatNo, page: Sequence[Message], stored: list[MessageId]
) -> list[MessageId]:
    """Make the links of the stored messages equal to what the page says; return what is new."""
    wanted = set(stored)
    links = [(m.message_id, m.media.media_id) for m in page if m.media and m.message_id in wanted]
    parameters = {
        "chat_no": chat_no,
        "stored": stored,
        "ids": [message_id for message_id, _ in links],
        "media_ids": [media_id for _, media_id in links],
    }
    lost = connection.execute(_UNLINK, parameters).fetchall()
    linked = connection.execute(_LINK, parameters).fetchall()
    supersede(connection, lost, dict(links))
    withdraw(connection, [media_id for _, media_id in lost])
    return [message_id for (message_id,) in linked]


def _upsert_media(connection: Connection, media: Sequence[MediaFile]) -> None:
    files = sorted({file.media_id: file for file in media}.values(), key=lambda f: f.media_id)
    if not files:
        return
    connection.execute(
        _MEDIA,
        {
            "ids": [file.media_id for file in files],
            "kinds": [file.kind.value for file in files],
            "mime_types": [_clean(file.mime_type) for file in files],
            "names": [_clean(file.file_name) for file in files],
            "sizes": [file.size_bytes for file in files],
            "widths": [file.width for file in files],
            "heights": [file.height for file in files],
            "durations": [file.duration_seconds for file in files],
            "dcs": [file.dc_id for file in files],
            "variants": [file.variant for file in files],
        },
    )


def _upsert_access(
    connection: Connection, account_id: AccountId, accesses: Sequence[MediaAccess]
) -> None:
    newest: dict[MediaId, MediaAccess] = {access.media_id: access for access in accesses}
    if not newest:
        return
    ordered = sorted(newest.values(), key=lambda access: access.media_id)
    connection.execute(
        _ACCESS,
        {
            "account_id": account_id,
            "ids": [access.media_id for access in ordered],
            "hashes": [access.access_hash for access in ordered],
            "references": [access.file_reference for access in ordered],
        },
    )


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
        "texts": [_clean(m.text) for m in page],
        "replies": [m.reply_to_id for m in page],
        "topics": [m.topic_id for m in page],
        "groups": [m.grouped_id for m in page],
        "forwarded_from": [m.forwarded_from for m in page],
        "forwarded_ids": [m.forwarded_message_id for m in page],
        "forwarded_at": [m.forwarded_at for m in page],
        "raws": [clean_json(m.raw) for m in page],
        "carried": [m.media and m.media.media_id for m in page],
    }


def _clean(text: str | None) -> str | None:
    """Take out NUL, which PostgreSQL cannot store: one such text would block its window."""
    return text.replace("\x00", "") if text else text


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
