"""What a person asks of the whole archive: how far it is, how fast, what is left.

Reading only, a few statements over all tables. What a single use case needs is in that use
case's own repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString, TypeVar

from psycopg.rows import class_row

from archive.ids import ChatNo
from resources.store.database import Database

_Row = TypeVar("_Row")

_CHATS = """
SELECT chats.chat_no, chats.title, chats.kind, chats.state, chats.state_reason,
       chats.allow_archive,
       chats.allow_faces, chats.allow_publish, chats.top_message_id,
       chats.id_space = 'own' AS dense,
       coalesce(stored.messages, 0) AS messages,
       coalesce(read.windows, 0) AS windows, coalesce(read.windows_read, 0) AS windows_read
FROM chats
LEFT JOIN (
    -- A group that became a supergroup is one chat with it.
    SELECT coalesce(migrated_to, chat_no) AS chat_no, count(*) AS messages
    FROM messages JOIN chats USING (chat_no) GROUP BY 1
) AS stored USING (chat_no)
LEFT JOIN (
    SELECT coalesce(migrated_to, chat_no) AS chat_no, count(*) AS windows,
           count(*) FILTER (WHERE read_at IS NOT NULL AND NOT dirty) AS windows_read
    FROM windows JOIN chats USING (chat_no) GROUP BY 1
) AS read USING (chat_no)
WHERE NOT chats.is_hub AND chats.added_at IS NOT NULL
ORDER BY chats.allow_archive DESC, chats.title, chats.chat_no
"""

# One state a medium: the worst of its products tells what is still to do.
_MEDIA = """
SELECT chat_no, state, reason, count(*) AS media
FROM (
    SELECT DISTINCT ON (message_media.chat_no, media_products.media_id)
           message_media.chat_no, media_products.state, media_products.reason
    FROM media_products
    JOIN message_media USING (media_id)
    ORDER BY message_media.chat_no, media_products.media_id,
             array_position(ARRAY['failed', 'pending', 'done', 'skipped'], media_products.state)
) AS worst
GROUP BY chat_no, state, reason
ORDER BY chat_no, state, reason
"""

_FACES = """
SELECT sources.chat_no, count(DISTINCT faces.face_id) AS faces
FROM faces
JOIN (SELECT DISTINCT chat_no, content_key FROM content_sources) AS sources USING (content_key)
WHERE NOT EXISTS (SELECT FROM suppressed_regions WHERE suppressed_regions.face_id = faces.face_id)
GROUP BY sources.chat_no
"""

_TOTALS = """
SELECT (SELECT count(*) FROM messages) AS messages,
       (SELECT count(*) FROM media) AS media,
       (SELECT count(*) FROM blobs) AS contents,
       (SELECT count(*) FROM faces WHERE NOT EXISTS (
           SELECT FROM suppressed_regions
           WHERE suppressed_regions.face_id = faces.face_id)) AS faces,
       (SELECT count(*) FROM assignments) AS assigned,
       (SELECT count(*) FROM identities WHERE state = 'visible') AS identities,
       (SELECT count(*) FROM topics WHERE state IN ('sent', 'editing')) AS topics,
       (SELECT count(*) FROM publications WHERE state IN ('sent', 'editing')) AS posts,
       (SELECT count(*) FROM publications WHERE state IN ('planned', 'sending')) AS posts_waiting,
       (SELECT count(*) FROM inbox WHERE applied_at IS NULL) AS inbox_waiting,
       (SELECT min(created_at) FROM inbox WHERE applied_at IS NULL) AS inbox_since
"""

_TIMINGS = """
SELECT stage, count(*) AS runs, sum(seconds) AS seconds, sum(items) AS items
FROM stage_timings GROUP BY stage ORDER BY min(timing_id)
"""

_RECENT_RATE = """
SELECT sum(items) / nullif(sum(seconds), 0)
FROM (
    SELECT items, seconds FROM stage_timings
    WHERE stage = 'media_pass' AND items > 0 ORDER BY timing_id DESC LIMIT 20
) AS recent
"""

_RECORD = "INSERT INTO stage_timings (stage, window_key, seconds, items) VALUES (%s, %s, %s, %s)"

# Everything that decides whether people or posts could come out differently from last time.
_WORK = """
SELECT concat_ws('-',
    (SELECT count(*) FROM embeddings),
    (SELECT coalesce(extract(epoch FROM max(created_at)), 0) FROM embeddings),
    (SELECT count(*) FROM assignments),
    (SELECT coalesce(sum(version), 0) FROM identities),
    (SELECT count(*) FROM message_media),
    -- What is said in a hub may have given a topic another title, or ask for an answer.
    (SELECT count(*) FROM hub_remarks WHERE settled_at IS NOT NULL),
    -- A run that changed the hub is followed by another, until one finds nothing to do.
    (SELECT coalesce(max(timing_id), 0) FROM stage_timings
     WHERE stage = 'published_topics' AND items > 0),
    (SELECT count(*) FROM publications WHERE state IN ('sending', 'editing', 'removing')),
    (SELECT count(*) FROM publications WHERE retry_at < now()),
    (SELECT coalesce(extract(epoch FROM max(drifted_at)), 0) FROM hubs),
    (SELECT coalesce(sum(hashtext(concat(hub_no, chat_nos, tags, state = 'blocked'))), 0)
     FROM hubs WHERE in_use),
    (SELECT coalesce(sum(hashtext(concat(chat_no, allow_faces, allow_publish, tags))), 0)
     FROM chats))
"""


@dataclass(frozen=True, slots=True)
class ChatProgress:
    """One chat, and how much of it is stored."""

    chat_no: ChatNo
    title: str
    kind: str
    state: str
    state_reason: str | None
    allow_archive: bool
    allow_faces: bool
    allow_publish: bool
    top_message_id: int | None
    dense: bool
    messages: int
    windows: int
    windows_read: int


@dataclass(frozen=True, slots=True)
class MediaCount:
    """Media of one chat in one state; a medium counts by its least finished product."""

    chat_no: ChatNo
    state: str
    reason: str | None
    media: int


@dataclass(frozen=True, slots=True)
class FaceCount:
    """Faces found in the contents that one chat shows."""

    chat_no: ChatNo
    faces: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts over the whole archive."""

    messages: int
    media: int
    contents: int
    faces: int
    assigned: int
    identities: int
    topics: int
    posts: int
    posts_waiting: int
    inbox_waiting: int
    inbox_since: datetime | None


@dataclass(frozen=True, slots=True)
class StageTime:
    """What one stage cost so far."""

    stage: str
    runs: int
    seconds: float
    items: int


class OverviewStore:
    """Counts and times over all tables, and the record of what stages cost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def chats(self) -> list[ChatProgress]:
        """List chats, opted-in ones first."""
        return self._rows(ChatProgress, _CHATS)

    def media(self) -> list[MediaCount]:
        """Count media by chat, state and reason."""
        return self._rows(MediaCount, _MEDIA)

    def faces(self) -> list[FaceCount]:
        """Count faces by chat; a content forwarded to two chats counts in both."""
        return self._rows(FaceCount, _FACES)

    def totals(self) -> Totals:
        """Count everything once."""
        return self._rows(Totals, _TOTALS)[0]

    def stage_times(self) -> list[StageTime]:
        """Sum up stages in the order in which they first ran."""
        return self._rows(StageTime, _TIMINGS)

    def media_per_second(self) -> float | None:
        """Return the rate of the last twenty media passes that did something, if any did."""
        with self._database.transaction() as connection:
            row = connection.execute(_RECENT_RATE).fetchone()
        return float(row[0]) if row and row[0] is not None else None

    def record_stage(self, stage: str, window_key: str | None, seconds: float, items: int) -> None:
        """Remember what one execution of a stage cost."""
        with self._database.transaction() as connection:
            connection.execute(_RECORD, (stage, window_key, seconds, items))

    def work_state(self) -> str:
        """Name the state of everything that people and posts depend on; equal means unchanged."""
        with self._database.transaction() as connection:
            row = connection.execute(_WORK).fetchone()
        return str(row[0]) if row else ""

    def _rows(self, kind: type[_Row], statement: LiteralString) -> list[_Row]:
        with self._database.transaction() as connection:
            return connection.cursor(row_factory=class_row(kind)).execute(statement).fetchall()
