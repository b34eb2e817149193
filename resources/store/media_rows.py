"""From rows of the media tables to the records of the archive. Reading only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import dict_row

from archive.errors import Permanent
from archive.ids import ChatNo, MediaId, MessageId
from archive.ledger import ChatPolicy, LedgerRow, Product, State
from archive.media_pass.records import Claimed, Original, ProductCount, Surveyed
from archive.records import MediaAccess, MediaFile, MediaKind
from archive.windows import Window
from resources.store import media_sql

Row = dict[str, Any]


def survey(connection: Connection, window: Window) -> list[Surveyed]:
    """List a window's media with what decides about them, newest message first."""
    values = window_range(window)
    media = rows(connection, media_sql.MEDIA, values)
    holders: dict[str, list[ChatNo]] = defaultdict(list)
    for row in rows(connection, media_sql.HOLDERS, values):
        holders[row["media_id"]].append(row["chat_no"])
    ledger: dict[str, dict[Product, LedgerRow]] = defaultdict(dict)
    for row in rows(connection, media_sql.LEDGER, values):
        ledger[row["media_id"]][Product(row["product"])] = _ledger_row(row)
    allowed = policies(connection, sorted({no for held in holders.values() for no in held}))
    return [
        Surveyed(
            file=media_file(row),
            message_id=MessageId(row["message_id"]),
            policies=tuple(allowed[no] for no in holders[row["media_id"]]),
            rows=ledger[row["media_id"]],
            original=original(row),
        )
        for row in media
        # Whose only message was deleted between the statements is gone for us.
        if window.chat_no in holders[row["media_id"]]
    ]


def tally(connection: Connection, window: Window) -> list[ProductCount]:
    """Count a window's media by product, state and reason."""
    values = window_range(window) | {"products": list(Product)}
    return [
        ProductCount(
            product=Product(row["product"]),
            state=State(row["state"]),
            reason=row["reason"],
            count=row["media"],
            next_retry_at=row["next_retry_at"],
        )
        for row in rows(connection, media_sql.TALLY, values)
    ]


def policies(connection: Connection, chat_nos: Sequence[ChatNo]) -> dict[ChatNo, ChatPolicy]:
    """Read what some chats allow now.

    Raises:
        Permanent: There is no such chat.
    """
    policies = {
        ChatNo(row["chat_no"]): ChatPolicy(
            archive=row["allow_archive"],
            faces=row["allow_faces"],
            media_types=frozenset(map(MediaKind, row["media_types"])),
            max_media_bytes=row["max_media_bytes"],
            keep_originals=row["keep_originals"],
        )
        for row in rows(connection, media_sql.POLICIES, {"chat_nos": list(chat_nos)})
    }
    if missing := set(chat_nos) - policies.keys():
        raise Permanent(f"no chat has the number {min(missing)}")
    return policies


def claimed(row: Row, leased: Mapping[str, bool]) -> Claimed:
    """Make a claim of a row that is due and was leased."""
    media_id = MediaId(row["media_id"])
    access = None
    if row["access_hash"] is not None:
        access = MediaAccess(media_id, row["access_hash"], row["file_reference"])
    return Claimed(media_id, access, row["attempts"], was_in_flight=leased[media_id])


def media_file(row: Row) -> MediaFile:
    """Make a file of a row of `media`."""
    return MediaFile(
        media_id=MediaId(row["media_id"]),
        kind=MediaKind(row["kind"]),
        mime_type=row["mime_type"],
        file_name=row["file_name"],
        size_bytes=row["size_bytes"],
        width=row["width"],
        height=row["height"],
        duration_seconds=row["duration_seconds"],
        dc_id=row["dc_id"],
        variant=row["variant"],
    )


def original(row: Row) -> Original | None:
    """Make of a row what is kept of a file; None where nothing is."""
    if row["original_key"] is None:
        return None
    return Original(row["original_key"], bytes(row["sha256"]), row["original_bytes"])


def _ledger_row(row: Row) -> LedgerRow:
    return LedgerRow(
        state=State(row["state"]),
        reason=row["reason"],
        producer=row["producer"],
        attempts=row["attempts"],
        retry_at=row["retry_at"],
        changed_at=row["updated_at"],
    )


def lease_prefix(window: Window) -> str:
    """What every lease of this window's passes begins with."""
    return f"{window.key}/"


def window_range(window: Window) -> Row:
    """Name a window's range as the statements do."""
    return {
        "chat_no": window.chat_no,
        "first_id": window.first_id,
        "last_id": window.last_id,
    }


def rows(connection: Connection, statement: LiteralString, values: Row) -> list[Row]:
    """Run a statement and return its rows by name."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()
