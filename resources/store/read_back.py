"""How hubs stand, as read back: implements the ``ReadBackStore`` of ``archive.publishing``.

Together with the outbox, whose rows are held against the hub. What a hub should hold is
``topics``'.
"""

from __future__ import annotations

from typing import Final, LiteralString
from uuid import UUID

from archive.ids import IdentityId, MediaId, MessageId, TopicId
from archive.publishing import HubNo
from archive.publishing.outbox import (
    Actual,
    Attempt,
    OutboxState,
    PublicationRow,
    SummaryRow,
    TopicRow,
)
from resources.store import outbox_sql
from resources.store import topics_rows as rows
from resources.store import topics_sql as sql
from resources.store.database import Database
from resources.store.outbox import change, require_rows

_NOTE_UNPINNED: Final[LiteralString] = """
UPDATE topic_summaries SET pinned = false
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND state IN ('sent', 'editing')
"""

_NOTE_MEDIA: Final[LiteralString] = """
UPDATE publications SET media_id = %(media_id)s
WHERE publication_id = %(publication_id)s AND media_id IS NULL AND state <> 'removed'
"""

_NOTE_DRIFT: Final[LiteralString] = """
UPDATE hubs SET drifted_at = now() WHERE hub_no = %(hub_no)s
"""

_READ_BACK_FROM: Final[LiteralString] = """
SELECT coalesce(read_back_from, 0) FROM hubs WHERE hub_no = %(hub_no)s
"""

_NOTE_READ_BACK: Final[LiteralString] = """
UPDATE hubs
SET read_back_from = nullif(%(message_id)s::bigint, 0),
    read_back_at = CASE WHEN %(message_id)s::bigint = 0 THEN now() ELSE read_back_at END
WHERE hub_no = %(hub_no)s
"""


class ReadBackRows:
    """What was read back from hubs.

    Args:
        database: Open and migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def recorded(self, hub_no: HubNo) -> Actual:
        """Read what we know a hub to hold."""
        hub = {"hub_no": hub_no}
        with self._database.transaction() as connection:
            connection.execute(sql.SNAPSHOT)
            return rows.actual(
                connection.execute(sql.TOPICS, hub), connection.execute(sql.PUBLICATIONS, hub)
            )

    def note_drift(self, hub_no: HubNo) -> None:
        """Record that there is something to put right, so that publishing is asked for."""
        with self._database.transaction() as connection:
            connection.execute(_NOTE_DRIFT, {"hub_no": hub_no})

    def note_unpinned(self, hub_no: HubNo, identity_id: IdentityId) -> None:
        """Record that a summary is not pinned any more."""
        values = {"hub_no": hub_no, "identity_id": identity_id}
        change(self._database, _NOTE_UNPINNED, values)

    def note_media(self, publication_id: UUID, media_id: MediaId) -> None:
        """Record which file a post shows, where none was recorded."""
        values = {"publication_id": publication_id, "media_id": media_id}
        with self._database.transaction() as connection:
            connection.execute(_NOTE_MEDIA, values)

    def read_back_from(self, hub_no: HubNo) -> MessageId:
        """Tell above which message a look that was stopped has been; 0 where none was."""
        with self._database.transaction() as connection:
            found = connection.execute(_READ_BACK_FROM, {"hub_no": hub_no}).fetchone()
            return MessageId(found[0] if found else 0)

    def note_read_back(self, hub_no: HubNo, message_id: MessageId) -> None:
        """Record how far down a look came; 0 when it came to the end."""
        with self._database.transaction() as connection:
            connection.execute(_NOTE_READ_BACK, {"hub_no": hub_no, "message_id": message_id})

    def adopt_topic(self, hub_no: HubNo, row: TopicRow, topic_id: TopicId) -> None:
        """Record a topic that is there as sent, open or closed."""
        values = {**rows.topic_values(hub_no, row), "topic_id": topic_id, "closed": row.closed}
        self._both(
            outbox_sql.BEGIN_TOPIC,
            outbox_sql.FINISH_TOPIC,
            values,
            outbox_sql.BEGIN_TOPIC_EDIT,
            outbox_sql.FINISH_TOPIC_EDIT,
        )

    def adopt_summary(
        self, hub_no: HubNo, row: TopicRow, summary: SummaryRow, message_id: MessageId
    ) -> None:
        """Record a pinned summary that is there, saying what it may say."""
        values = {
            "hub_no": hub_no,
            "identity_id": row.identity_id,
            "random_id": summary.random_id,
            "text": summary.text,
            "message_id": message_id,
            "state": OutboxState.EDITING,
        }
        self._both(
            outbox_sql.BEGIN_SUMMARY,
            outbox_sql.FINISH_SUMMARY,
            values,
            outbox_sql.PINNED_SUMMARY,
        )

    def adopt_post(
        self, hub_no: HubNo, row: PublicationRow, attempt: Attempt, message_id: MessageId
    ) -> None:
        """Record a post that is there, with what caption it may have."""
        values = {
            **rows.publication_values(hub_no, row),
            **rows.attempt_values(attempt),
            "message_id": message_id,
            "state": OutboxState.EDITING,
        }
        self._both(outbox_sql.BEGIN_POST, outbox_sql.FINISH_POST, values)

    def _both(
        self, begin: LiteralString, finish: LiteralString, values: rows.Values, *more: LiteralString
    ) -> None:
        """Begin and finish at once: in between, a row would stand for a send that never was."""
        with self._database.transaction() as connection:
            for statement in (begin, finish, *more):
                require_rows(connection.execute(statement, values).rowcount, 1)
