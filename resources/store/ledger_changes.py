"""Ledger rows that somebody decided about: enrolled, or opened again.

Statements on a connection that the caller opened, for ``media``. Which rows, and what becomes of
them, is ``archive.media_pass``'s and ``archive.redoing``'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, LiteralString

from psycopg import Connection

from archive.media_pass.records import LedgerChange
from resources.store import media_sql

_SAME_CONTENT: Final[LiteralString] = """
SELECT DISTINCT twin.media_id
FROM media AS this JOIN media AS twin USING (content_key)
WHERE this.media_id = ANY(%(media_ids)s::text[])
"""

# A twin that is done by today's producer would be taken as the answer, and nothing made again.
_OPEN_TWINS: Final[LiteralString] = """
UPDATE media_products AS row
SET state = 'pending', updated_at = now()
FROM unnest(%(media_ids)s::text[], %(products)s::text[]) AS asked (media_id, product)
JOIN media AS this USING (media_id)
JOIN media AS twin USING (content_key)
WHERE row.media_id = twin.media_id AND row.product = asked.product AND row.state = 'done'
"""


def enroll(connection: Connection, changes: Sequence[LedgerChange]) -> None:
    """Write rows; one that somebody changed meanwhile is left as it is."""
    columns = _columns(changes)
    connection.execute(media_sql.LOCK_MEDIA, columns)
    connection.execute(media_sql.CHANGE_ROWS, columns)
    connection.execute(media_sql.NEW_ROWS, columns)
    connection.execute(media_sql.NOT_FAILED, (columns["media_ids"],))


def reopen(connection: Connection, changes: Sequence[LedgerChange]) -> None:
    """Open rows, and with them those of every medium that brings the same content."""
    columns = _columns(changes)
    twins = connection.execute(_SAME_CONTENT, columns).fetchall()
    everything = sorted({*columns["media_ids"], *(media_id for (media_id,) in twins)})
    connection.execute(media_sql.LOCK_MEDIA, {"media_ids": everything})
    connection.execute(media_sql.CHANGE_ROWS, columns)
    connection.execute(_OPEN_TWINS, columns)


def _columns(changes: Sequence[LedgerChange]) -> dict[str, list[Any]]:
    return {
        "media_ids": [each.media_id for each in changes],
        "products": [each.product for each in changes],
        "states": [each.after.state for each in changes],
        "reasons": [each.after.reason for each in changes],
        "producers": [each.after.producer for each in changes],
        "attempts": [each.after.attempts for each in changes],
        "is_new": [each.before is None for each in changes],
        "old_states": [each.before and each.before.state for each in changes],
        "old_reasons": [each.before and each.before.reason for each in changes],
        "old_producers": [each.before and each.before.producer for each in changes],
    }
