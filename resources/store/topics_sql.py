"""The statements of the topic store.

Reading is a few statements over sets, whatever the number of people: a hub of ten thousand is
planned in seconds. Which message is a live source of a publishable chat is said here once.
"""

from __future__ import annotations

from typing import Final, LiteralString

SNAPSHOT: Final[LiteralString] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

PEOPLE: Final[LiteralString] = """
SELECT identity_id, number, label FROM identities WHERE state = 'visible'
"""

# The moment of a person in a video is their first frame there.
APPEARANCES: Final[LiteralString] = """
SELECT assignments.identity_id, faces.content_key,
       min(coalesce(faces.first_seconds, faces.frame_seconds)) AS seconds
FROM assignments
JOIN identities USING (identity_id)
JOIN faces USING (face_id)
WHERE identities.state = 'visible'
GROUP BY assignments.identity_id, faces.content_key
"""

# A photo has no duration. A message that protects its content is no source, like a chat that
# does; the raw object keeps the mark only where it is true.
SOURCES: Final[LiteralString] = """
SELECT media.content_key, blobs.phash, blobs.duration_seconds IS NOT NULL AS is_video,
       messages.chat_no, messages.message_id, messages.sent_at, messages.topic_id,
       forum_topics.title AS topic_title, media.media_id
FROM (
    SELECT DISTINCT faces.content_key
    FROM assignments JOIN faces USING (face_id)
) AS shown
JOIN blobs USING (content_key)
JOIN media USING (content_key)
JOIN message_media USING (media_id)
JOIN messages USING (chat_no, message_id)
JOIN chats USING (chat_no)
LEFT JOIN forum_topics
    ON forum_topics.chat_no = messages.chat_no AND forum_topics.topic_id = messages.topic_id
WHERE chats.allow_publish AND NOT chats.noforwards AND NOT chats.is_hub
  AND (messages.deleted_at IS NULL OR chats.on_deletion = 'keep')
  AND NOT messages.raw ? 'noforwards'
ORDER BY messages.sent_at, messages.chat_no, messages.message_id, media.media_id
"""

CHATS: Final[LiteralString] = """
SELECT chat_no FROM chats WHERE allow_publish
"""

TOPICS: Final[LiteralString] = """
SELECT identity_id, random_id, state, title, icon_color, topic_id
FROM topics WHERE hub_no = %(hub_no)s AND state <> 'removed'
"""

PUBLICATIONS: Final[LiteralString] = """
SELECT publications.publication_id, publications.identity_id, publications.content_key,
       publications.random_id, publications.state, publications.caption, publications.method,
       publications.source_chat_no, publications.source_message_id, publications.message_id,
       publications.refusal, publications.retry_at, blobs.phash,
       blobs.duration_seconds IS NOT NULL AS is_video
FROM publications
JOIN blobs USING (content_key)
WHERE publications.hub_no = %(hub_no)s AND publications.state <> 'removed'
ORDER BY publications.created_at, publications.publication_id
"""

# A planned row was never sent: it is drawn anew with the next plan. A refused one keeps its
# reason until its content is planned again.
DROP_PLANNED: Final[LiteralString] = """
DELETE FROM publications
USING unnest(%(identity_ids)s::uuid[], %(content_keys)s::text[])
    AS again (identity_id, content_key)
WHERE publications.hub_no = %(hub_no)s AND publications.state = 'planned'
  AND publications.identity_id = again.identity_id
  AND publications.content_key = again.content_key
"""

DROP_UNREFUSED: Final[LiteralString] = """
DELETE FROM publications
WHERE hub_no = %(hub_no)s AND state = 'planned' AND refusal IS NULL
"""

DROP_TOPICS: Final[LiteralString] = """
DELETE FROM topics
WHERE hub_no = %(hub_no)s AND state = 'planned' AND NOT EXISTS (
    SELECT FROM publications
    WHERE publications.hub_no = topics.hub_no
      AND publications.identity_id = topics.identity_id)
"""

ADD_TOPIC: Final[LiteralString] = """
INSERT INTO topics (hub_no, identity_id, random_id, title, icon_color)
VALUES (%(hub_no)s, %(identity_id)s, %(random_id)s, %(title)s, %(icon_color)s)
"""

ADD_PUBLICATION: Final[LiteralString] = """
INSERT INTO publications (publication_id, hub_no, identity_id, content_key, random_id)
VALUES (%(publication_id)s, %(hub_no)s, %(identity_id)s, %(content_key)s, %(random_id)s)
"""

IS_VISIBLE: Final[LiteralString] = """
SELECT EXISTS (
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
       reading.access_hash AS reading_hash, reading.file_reference AS reading_reference
FROM media
LEFT JOIN media_access AS posting
    ON posting.media_id = media.media_id AND posting.account_id = %(posting)s
LEFT JOIN media_access AS reading
    ON reading.media_id = media.media_id AND reading.account_id = %(reading)s
WHERE media.media_id = %(media_id)s
"""

BEGIN_TOPIC: Final[LiteralString] = """
UPDATE topics SET state = 'sending'
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND random_id = %(random_id)s
  AND state IN ('planned', 'sending')
"""

FINISH_TOPIC: Final[LiteralString] = """
UPDATE topics SET state = 'sent', topic_id = %(topic_id)s
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND random_id = %(random_id)s
  AND state = 'sending'
"""

BEGIN_POST: Final[LiteralString] = """
UPDATE publications
SET state = 'sending', random_id = %(random_id)s, caption = %(caption)s, method = %(method)s,
    source_chat_no = %(source_chat_no)s, source_message_id = %(source_message_id)s
WHERE publication_id = %(publication_id)s AND state IN ('planned', 'sending')
"""

FINISH_POST: Final[LiteralString] = """
UPDATE publications SET state = 'sent', message_id = %(message_id)s, sent_at = now()
WHERE publication_id = %(publication_id)s AND random_id = %(random_id)s AND state = 'sending'
"""

REFUSE_POST: Final[LiteralString] = """
UPDATE publications
SET state = 'planned', caption = '', method = NULL, source_chat_no = NULL,
    source_message_id = NULL, refusal = %(reason)s, retry_at = %(retry_at)s
WHERE publication_id = %(publication_id)s AND state IN ('planned', 'sending')
"""

HUBS: Final[LiteralString] = """
SELECT hubs.hub_no, hubs.in_use, hubs.state_reason AS blocked_reason, hubs.chat_no
FROM hubs
JOIN chats USING (chat_no)
ORDER BY hubs.in_use DESC, chats.title, hubs.hub_no
"""

RETIRE_HUBS: Final[LiteralString] = "UPDATE hubs SET in_use = false WHERE in_use"

USE_HUB: Final[LiteralString] = """
INSERT INTO hubs (hub_no, chat_no, in_use)
SELECT %(hub_no)s, chat_no, true FROM chats WHERE chat_no = %(chat_no)s AND is_hub
ON CONFLICT (chat_no) DO UPDATE SET in_use = true, state = 'ready', state_reason = NULL
"""

SET_BLOCKED: Final[LiteralString] = """
UPDATE hubs
SET state = CASE WHEN %(reason)s::text IS NULL THEN 'ready' ELSE 'blocked' END,
    state_reason = %(reason)s
WHERE hub_no = %(hub_no)s
"""
