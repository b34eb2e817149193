"""The statements that read both sides of a hub.

Reading is a few statements over sets, whatever the number of people: a hub of ten thousand is
planned in seconds. How rows of the outbox change is in ``outbox_sql``.
"""

from __future__ import annotations

from typing import Final, LiteralString

SNAPSHOT: Final[LiteralString] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

PEOPLE: Final[LiteralString] = """
SELECT identity_id, number, label, state FROM identities WHERE state IN ('visible', 'hidden')
"""

MERGED: Final[LiteralString] = """
SELECT identity_id, merged_into FROM identities WHERE state = 'merged'
"""

ERASED: Final[LiteralString] = "SELECT identity_id FROM identities WHERE state = 'erased'"

ANSWERS: Final[LiteralString] = """
SELECT remark_id, identity_id, random_id, hub_answers.text
FROM hub_answers JOIN hub_remarks USING (remark_id)
WHERE hub_no = %(hub_no)s AND hub_answers.message_id IS NULL
ORDER BY remark_id
"""

# The moment of a person in a video is their first frame there.
APPEARANCES: Final[LiteralString] = """
SELECT identity_id, array_agg(content_key), array_agg(seconds)
FROM (
    SELECT assignments.identity_id, faces.content_key,
           min(coalesce(faces.first_seconds, faces.frame_seconds)) AS seconds
    FROM assignments
    JOIN identities USING (identity_id)
    JOIN faces USING (face_id)
    WHERE identities.state IN ('visible', 'hidden')
    GROUP BY assignments.identity_id, faces.content_key
) AS shown
GROUP BY identity_id
"""

# A photo has no duration. Which message is a source at all is said by the view.
_SOURCES: Final[LiteralString] = """
SELECT content_key, blobs.phash, blobs.duration_seconds IS NOT NULL AS is_video,
       source.chat_no, source.message_id, source.sent_at, source.media_id,
       source.topic_id, forum_topics.title AS topic_title, source.grouped_id
FROM shown
JOIN blobs USING (content_key)
JOIN publishable_sources AS source USING (content_key)
LEFT JOIN forum_topics
    ON forum_topics.chat_no = source.chat_no AND forum_topics.topic_id = source.topic_id
ORDER BY source.sent_at, source.chat_no, source.message_id, source.media_id
"""

SOURCES: Final[LiteralString] = (
    """
WITH shown AS (SELECT DISTINCT faces.content_key FROM assignments JOIN faces USING (face_id))
"""
    + _SOURCES
)

SOURCES_OF_FACES: Final[LiteralString] = (
    """
WITH shown AS (SELECT DISTINCT content_key FROM faces WHERE face_id = ANY(%(face_ids)s))
"""
    + _SOURCES
)

OPEN_DOUBTS: Final[LiteralString] = """
SELECT face_id, identity_id, placed, number, label, state, content_key, frame_seconds
FROM unnest(%(face_ids)s::uuid[], %(identity_ids)s::uuid[], %(placed)s::boolean[])
    WITH ORDINALITY AS doubt (face_id, identity_id, placed, place)
JOIN faces USING (face_id)
JOIN identities USING (identity_id)
WHERE doubt_is_open(face_id, identity_id, placed)
ORDER BY place
"""

IS_OPEN: Final[LiteralString] = """
SELECT doubt_is_open(%(face_id)s, %(asked_id)s, %(placed)s)
"""

CHATS: Final[LiteralString] = """
SELECT chat_no FROM chats WHERE allow_publish
"""

TOPICS: Final[LiteralString] = """
SELECT topics.identity_id, topics.random_id, topics.state, topics.title, topics.icon_color,
       topics.topic_id, topics.closed, said.random_id, said.state, said.text, said.message_id,
       said.pinned
FROM topics LEFT JOIN topic_summaries AS said USING (hub_no, identity_id)
WHERE topics.hub_no = %(hub_no)s AND topics.state <> 'removed'
"""

PUBLICATIONS: Final[LiteralString] = """
SELECT publication_id, identity_id, content_key, random_id, state, caption, method,
       source_chat_no, source_message_id, message_id, refusal, retry_at, album_id, media_id,
       face_id, asked_id, placed
FROM publications
WHERE hub_no = %(hub_no)s AND state <> 'removed'
ORDER BY created_at, publication_id
"""

IS_VISIBLE: Final[LiteralString] = """
SELECT %(identity_id)s = %(review)s OR EXISTS (
    SELECT FROM identities WHERE identity_id = %(identity_id)s AND state = 'visible')
"""

PERMITTED_CHATS: Final[LiteralString] = """
SELECT chat_no FROM chats
WHERE chat_no = ANY(%(chat_nos)s) AND allow_publish AND NOT noforwards AND NOT is_hub
"""

MATERIAL: Final[LiteralString] = """
SELECT media.media_id, media.kind, media.mime_type, media.file_name, media.size_bytes,
       media.width, media.height, media.duration_seconds, media.dc_id, media.variant,
       posting.access_hash AS posting_hash, posting.file_reference AS posting_reference,
       -- A file of an export needs no key.
       coalesce(reading.access_hash, exported.access_hash) AS reading_hash,
       coalesce(reading.file_reference, exported.file_reference) AS reading_reference
FROM media
LEFT JOIN media_access AS posting
    ON posting.media_id = media.media_id AND posting.account_id = %(posting)s
LEFT JOIN media_access AS reading
    ON reading.media_id = media.media_id AND reading.account_id = %(reading)s
LEFT JOIN (SELECT media_id, 0 AS access_hash, ''::bytea AS file_reference FROM exported_files)
    AS exported ON exported.media_id = media.media_id
WHERE media.media_id = %(media_id)s
"""

CHAT_OF_HUB: Final[LiteralString] = "SELECT chat_no FROM hubs WHERE hub_no = %(hub_no)s"
