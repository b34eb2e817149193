"""Deletions in the store: deciding about those that are held, and erasing what nothing shows.

Implements ``archive.deletions.DeletionStore``; how a message is marked is ``deletion_marks``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from psycopg.rows import class_row

from archive.deletions import Decision, Erased, HeldDeletions, Losses
from archive.ids import ChatNo
from resources.store.database import Database
from resources.store.deletion_marks import withdraw_of
from resources.store.identity_events import log_erased

_CONTENTS_AT_A_TIME: Final = 100

_WAITING = """
SELECT chat_no, count(*) AS messages, min(seen_at) AS first_seen_at, max(seen_at) AS last_seen_at
FROM held_deletions WHERE decision IS NULL GROUP BY chat_no ORDER BY chat_no
"""

_LOCK_CHAT = "SELECT FROM chats WHERE chat_no = %(chat_no)s FOR NO KEY UPDATE"

_DECIDE = """
UPDATE held_deletions SET decision = %(decision)s, decided_at = now()
WHERE chat_no = %(chat_no)s AND decision IS NULL
RETURNING message_id
"""

_BELIEVE = """
UPDATE messages SET deleted_at = held_deletions.seen_at
FROM held_deletions
WHERE messages.chat_no = %(chat_no)s AND messages.message_id = ANY(%(ids)s::bigint[])
  AND held_deletions.chat_no = messages.chat_no
  AND held_deletions.message_id = messages.message_id
"""

_LOST = "SELECT content_key FROM lost_contents ORDER BY content_key LIMIT %s"
# The key of `faces.lock_content`: no commit of these bytes comes in between.
_LOCK_CONTENT = "SELECT pg_advisory_xact_lock(hashtextextended('content ' || %s, 0))"
_STILL_LOST = "SELECT content_key FROM lost_contents WHERE content_key = ANY(%s)"

_LOCK_MEDIA = """
SELECT FROM media WHERE content_key = ANY(%(keys)s) ORDER BY media_id FOR NO KEY UPDATE
"""

# Of these nothing stays; the others lose what was made of their faces.
_UNARCHIVED = """
SELECT content_key FROM unnest(%s::text[]) AS lost (content_key)
WHERE NOT EXISTS (
    SELECT FROM content_sources
    WHERE content_sources.content_key = lost.content_key AND allow_archive)
"""

_DOOM = """
INSERT INTO doomed_crops (crop_key)
SELECT crop_key FROM faces WHERE content_key = ANY(%(keys)s)
UNION
SELECT picture_key FROM derived_pictures WHERE content_key = ANY(%(unarchived)s)
UNION
SELECT original_key FROM originals WHERE content_key = ANY(%(unarchived)s)
ON CONFLICT DO NOTHING
"""

_DROP_PLANNED = "DELETE FROM publications WHERE state = 'planned' AND content_key = ANY(%(keys)s)"

_ERASE = "DELETE FROM faces WHERE content_key = ANY(%(keys)s)"
# A thumbnail shows the faces too, and so do the boxes of those that were dropped.
_ERASE_PICTURES = "DELETE FROM derived_pictures WHERE content_key = ANY(%(unarchived)s)"
_ERASE_ORIGINALS = "DELETE FROM originals WHERE content_key = ANY(%(unarchived)s)"
_ERASE_SEARCHES = "DELETE FROM searches WHERE content_key = ANY(%(keys)s)"

# As if never seen: should the content come back, everything is made again.
_RESET = """
DELETE FROM media_products USING media
WHERE media.media_id = media_products.media_id AND media.content_key = ANY(%(keys)s)
  AND (product IN ('faces', 'embeddings') OR media.content_key = ANY(%(unarchived)s))
"""

_NAMED_AGAIN = """
DELETE FROM doomed_crops
WHERE EXISTS (SELECT FROM faces WHERE faces.crop_key = doomed_crops.crop_key)
   OR EXISTS (
       SELECT FROM derived_pictures WHERE derived_pictures.picture_key = doomed_crops.crop_key)
   OR EXISTS (SELECT FROM originals WHERE originals.original_key = doomed_crops.crop_key)
"""

# Taken back at once: what would be erased is asked of the view that says what is.
_IF_DENIED = """
UPDATE chats
SET allow_publish = false, allow_faces = false, faces_denied_at = now(),
    allow_archive = allow_archive AND NOT %(archive)s,
    keep_originals = keep_originals AND NOT %(archive)s
WHERE chat_no = %(chat_no)s OR migrated_to = %(chat_no)s
"""

_LOSSES = """
WITH lost AS MATERIALIZED (
    SELECT content_key FROM lost_contents
    WHERE content_key IN (
        SELECT media.content_key
        FROM chats JOIN shown_media USING (chat_no) JOIN media USING (media_id)
        WHERE chats.chat_no = %(chat_no)s OR chats.migrated_to = %(chat_no)s)
), gone AS MATERIALIZED (
    SELECT face_id, identity_id
    FROM lost JOIN faces USING (content_key) LEFT JOIN assignments USING (face_id)
)
SELECT (SELECT count(*) FROM lost) AS contents,
       (SELECT count(*) FROM gone) AS faces,
       count(*) AS people,
       count(*) FILTER (WHERE gone_faces = (
           SELECT count(*) FROM assignments
           WHERE assignments.identity_id = of_person.identity_id)) AS people_gone
FROM (
    SELECT identity_id, count(*) AS gone_faces FROM gone
    WHERE identity_id IS NOT NULL GROUP BY identity_id
) AS of_person
"""

_WORK_STATE = """
SELECT concat_ws('-',
    (SELECT count(*) FROM lost_contents),
    (SELECT count(*) FROM doomed_crops WHERE created_at < now() - interval '5 minutes'),
    (SELECT count(*) FROM messages WHERE deleted_at IS NOT NULL),
    (SELECT coalesce(sum(hashtext(chat_no::text || on_deletion)), 0) FROM chats))
"""


class DeletionStore:
    """Deletions in PostgreSQL.

    Args:
        database: A migrated archive database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self) -> Sequence[HeldDeletions]:
        """Return what waits for a person, by chat."""
        with self._database.transaction() as connection:
            cursor = connection.cursor(row_factory=class_row(HeldDeletions))
            return cursor.execute(_WAITING).fetchall()

    def decide(self, chat_no: ChatNo, decision: Decision) -> int:
        """Believe the chat's waiting deletions or not; return how many they were."""
        values: dict[str, Any] = {"chat_no": chat_no, "decision": decision}
        with self._database.transaction() as connection:
            connection.execute(_LOCK_CHAT, values)
            ids = [message_id for (message_id,) in connection.execute(_DECIDE, values)]
            if decision == "confirmed":
                connection.execute(_BELIEVE, values | {"ids": ids})
                withdraw_of(connection, chat_no, ids)
        return len(ids)

    def losses(self, chat_no: ChatNo, *, archive: bool) -> Losses:
        """Count what would be erased if a chat's faces were switched off; changes nothing."""
        values = {"chat_no": chat_no, "archive": archive}
        with (
            self._database.transaction() as connection,
            connection.transaction(force_rollback=True),
            connection.cursor(row_factory=class_row(Losses)) as cursor,
        ):
            cursor.execute(_IF_DENIED, values)
            counted = cursor.execute(_LOSSES, values).fetchone()
        assert counted is not None, "an aggregate gives one row"
        return counted

    def erase_some(self) -> Erased:
        """Erase some lost contents in one transaction; none where nothing is left to erase."""
        with self._database.transaction() as connection:
            found = [key for (key,) in connection.execute(_LOST, (_CONTENTS_AT_A_TIME,))]
            for key in found:
                connection.execute(_LOCK_CONTENT, (key,))
            # Another chat may have brought one back while we waited.
            lost = [key for (key,) in connection.execute(_STILL_LOST, (found,))]
            unarchived = [key for (key,) in connection.execute(_UNARCHIVED, (lost,))]
            values = {"keys": lost, "unarchived": unarchived}
            connection.execute(_LOCK_MEDIA, values)
            connection.execute(_DOOM, values)
            log_erased(connection, lost, actor="deletion", cause="no chat shows or allows it")
            connection.execute(_DROP_PLANNED, values)
            faces = connection.execute(_ERASE, values).rowcount
            connection.execute(_ERASE_PICTURES, values)
            connection.execute(_ERASE_SEARCHES, values)
            connection.execute(_ERASE_ORIGINALS, values)
            connection.execute(_RESET, values)
        return Erased(len(lost), faces)

    def doomed_crops(self) -> Sequence[str]:
        """Return the crops of erased faces that no face names."""
        with self._database.transaction() as connection:
            connection.execute(_NAMED_AGAIN)
            return [key for (key,) in connection.execute("SELECT crop_key FROM doomed_crops")]

    def forget_crops(self, keys: Collection[str]) -> None:
        """Note that crops are gone."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM doomed_crops WHERE crop_key = ANY(%s)", (list(keys),))

    def work_state(self) -> str:
        """Name the state of what deletions change about people; equal means unchanged."""
        with self._database.transaction() as connection:
            row = connection.execute(_WORK_STATE).fetchone()
        return str(row[0]) if row else ""
