"""Files as messages name them, and each account's way to them: written in bulk with each page.

Statements on a connection that the caller opened. What becomes of a file is the ledger's, in
``media``; which message shows it is in ``messages``.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection

from archive.ids import AccountId, MediaId
from archive.records import MediaAccess, MediaFile

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


def upsert_media(connection: Connection, media: Sequence[MediaFile]) -> None:
    """Write what files are."""
    files = sorted({file.media_id: file for file in media}.values(), key=lambda f: f.media_id)
    if not files:
        return
    connection.execute(
        _MEDIA,
        {
            "ids": [file.media_id for file in files],
            "kinds": [file.kind.value for file in files],
            "mime_types": [clean_text(file.mime_type) for file in files],
            "names": [clean_text(file.file_name) for file in files],
            "sizes": [file.size_bytes for file in files],
            "widths": [file.width for file in files],
            "heights": [file.height for file in files],
            "durations": [file.duration_seconds for file in files],
            "dcs": [file.dc_id for file in files],
            "variants": [file.variant for file in files],
        },
    )


def upsert_access(
    connection: Connection, account_id: AccountId, accesses: Sequence[MediaAccess]
) -> None:
    """Write an account's keys and references to files."""
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


def clean_text(text: str | None) -> str | None:
    """Take out NUL, which PostgreSQL cannot store: one such text would block its window."""
    return text.replace("\x00", "") if text else text
