"""Media that failed: which, why, when they are tried again, and what a person decides about them.

Reads the ledger and the dead letters; writes only what a person asked for. What makes a medium
fail, and when it is given up, is `archive.ledger`'s; `media` stores that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, LiteralString

from psycopg import Connection
from psycopg.rows import kwargs_row

from archive.ids import ChatNo, MediaId, MessageId
from resources.store import media_sql
from resources.store.database import Database


class FailureState(StrEnum):
    """What will happen with a medium that failed."""

    WAITING = "waiting"
    """It is tried again by itself."""

    GIVEN_UP = "given_up"
    """It is a person's."""

    IGNORED = "ignored"
    """A person does not want it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One medium that has no result.

    Attributes:
        state: What becomes of it.
        reason: A short code.
        error: What exactly went wrong the last time.
        attempts: Runs that failed at it.
        retry_at: When it is due again; ``None`` where it is not.
        given_up_at: When it became a dead letter.
        message_id: The newest live message that carries it, of that chat.
        topic_title: In which topic of a forum that is, except General.
    """

    media_id: MediaId
    kind: str
    size_bytes: int | None
    chat_no: ChatNo
    chat_title: str
    message_id: MessageId
    topic_title: str | None
    state: FailureState
    reason: str
    error: str | None
    attempts: int
    failed_at: datetime
    retry_at: datetime | None
    given_up_at: datetime | None


# The ledger has a row a product; they fail together, and the latest tells.
_FAILED: Final[LiteralString] = """
SELECT media_id, media.kind, media.size_bytes, chat_no, chats.title AS chat_title, message_id,
       forum_topics.title AS topic_title,
       CASE WHEN latest.reason = 'ignored' THEN 'ignored'
            WHEN latest.retry_at IS NULL THEN 'given_up'
            ELSE 'waiting' END AS state,
       CASE WHEN latest.reason = 'ignored' THEN coalesce(failures.reason, 'ignored')
            ELSE latest.reason END AS reason,
       coalesce(latest.error, failures.error) AS error, latest.attempts,
       latest.updated_at AS failed_at, latest.retry_at, failures.given_up_at
FROM (
    SELECT DISTINCT ON (media_id) media_id, reason, error, attempts, retry_at, updated_at
    FROM media_products
    WHERE state = 'failed' OR reason = 'ignored'
    ORDER BY media_id, updated_at DESC, product
) AS latest
JOIN media USING (media_id)
JOIN (
    SELECT DISTINCT ON (media_id) media_id, chat_no, message_id, topic_id
    FROM message_media JOIN messages USING (chat_no, message_id)
    WHERE deleted_at IS NULL
    ORDER BY media_id, sent_at DESC, chat_no
) AS shown USING (media_id)
JOIN chats USING (chat_no)
LEFT JOIN forum_topics USING (chat_no, topic_id)
LEFT JOIN failures USING (media_id)
ORDER BY failed_at DESC, media_id
"""

_REOPEN: Final[LiteralString] = """
UPDATE media_products
SET state = 'pending', reason = NULL, error = NULL, retry_at = NULL, attempts = 0,
    updated_at = now()
WHERE media_id = ANY(%(media_ids)s::text[]) AND (state = 'failed' OR reason = 'ignored')
"""

_IGNORE: Final[LiteralString] = """
WITH failed AS (
    SELECT media_id, max(reason) AS reason, max(error) AS error, max(attempts) AS attempts
    FROM media_products
    WHERE media_id = ANY(%(media_ids)s::text[]) AND state = 'failed'
    GROUP BY media_id
), kept AS (
    INSERT INTO failures (media_id, reason, error, attempts, ignored_at)
    SELECT media_id, reason, coalesce(error, ''), greatest(attempts, 1), now() FROM failed
    ON CONFLICT (media_id) DO UPDATE SET ignored_at = now()
)
UPDATE media_products
SET state = 'skipped', reason = 'ignored', retry_at = NULL, updated_at = now()
WHERE media_id IN (SELECT media_id FROM failed) AND state = 'failed'
"""


class FailureStore:
    """The failed media of one archive."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[Failure]:
        """Return every medium that failed and that a live message still shows, newest first."""
        with (
            self._database.transaction() as connection,
            connection.cursor(row_factory=kwargs_row(_failure)) as cursor,
        ):
            return cursor.execute(_FAILED).fetchall()

    def retry(self, media_ids: Sequence[MediaId]) -> None:
        """Open media again, as if they had never failed; their windows come by themselves."""
        with self._database.transaction() as connection:
            values = _locked(connection, media_ids)
            connection.execute(_REOPEN, values)
            connection.execute(media_sql.NOT_FAILED, (values["media_ids"],))

    def ignore(self, media_ids: Sequence[MediaId]) -> None:
        """Let nothing try these media again by itself."""
        with self._database.transaction() as connection:
            connection.execute(_IGNORE, _locked(connection, media_ids))


def _failure(**row: Any) -> Failure:
    return Failure(**row | {"state": FailureState(row["state"])})


def _locked(connection: Connection, media_ids: Sequence[MediaId]) -> dict[str, Any]:
    """Keep the media's rows, in the order in which everybody takes them."""
    values: dict[str, Any] = {"media_ids": list(media_ids)}
    connection.execute(media_sql.LOCK_MEDIA, values)
    return values
