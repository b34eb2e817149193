"""The statements that change rows of the outbox: each names the states it comes from.

One that changes no row means that another run was there.
"""

from __future__ import annotations

from typing import Final, LiteralString

# A topic that is gone leaves its row for the next one of the same person.
BEGIN_TOPIC: Final[LiteralString] = """
INSERT INTO topics (hub_no, identity_id, random_id, state, title, icon_color)
VALUES (%(hub_no)s, %(identity_id)s, %(random_id)s, 'sending', %(title)s, %(icon_color)s)
ON CONFLICT (hub_no, identity_id) DO UPDATE
SET random_id = excluded.random_id, state = 'sending', title = excluded.title,
    icon_color = excluded.icon_color, topic_id = NULL, closed = false
WHERE topics.state IN ('planned', 'removed')
   OR topics.state = 'sending' AND topics.random_id = excluded.random_id
"""

FINISH_TOPIC: Final[LiteralString] = """
UPDATE topics SET state = 'sent', topic_id = %(topic_id)s
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND random_id = %(random_id)s
  AND state = 'sending'
"""

BEGIN_TOPIC_EDIT: Final[LiteralString] = """
UPDATE topics
SET state = 'editing', title = coalesce(%(title)s::text, title),
    closed = coalesce(%(closed)s::boolean, closed)
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND state IN ('sent', 'editing')
"""

# The hub tells us of it as of anybody's; ``remarks`` knows it by this.
NOTE_GIVEN_TITLE: Final[LiteralString] = """
INSERT INTO given_titles (hub_no, identity_id, digest)
VALUES (%(hub_no)s, %(identity_id)s, sha256(convert_to(%(title)s, 'UTF8')))
"""

# Whoever did not listen for so long is told no differences any more.
FORGET_GIVEN_TITLES: Final[LiteralString] = """
DELETE FROM given_titles
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s
  AND created_at < now() - interval '30 days'
"""

FINISH_TOPIC_EDIT: Final[LiteralString] = """
UPDATE topics SET state = 'sent'
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND state = 'editing'
"""

BEGIN_TOPIC_REMOVAL: Final[LiteralString] = """
UPDATE topics SET state = 'removing', topic_id = %(topic_id)s
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s
  AND state IN ('sending', 'sent', 'editing', 'removing')
"""

# The row is kept, for the next topic and for what was said in this one; whom it named is not.
FINISH_TOPIC_REMOVAL: Final[LiteralString] = """
UPDATE topics SET state = 'removed', title = '…'
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND state = 'removing'
"""

# Whatever was, or may have been, in the topic went with it.
DROP_UNSENT: Final[LiteralString] = """
DELETE FROM publications
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND message_id IS NULL
"""

REMOVE_WITH_TOPIC: Final[LiteralString] = """
UPDATE publications SET state = 'removed', caption = ''
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND state <> 'removed'
"""

BEGIN_SUMMARY: Final[LiteralString] = """
INSERT INTO topic_summaries (hub_no, identity_id, random_id, state, text)
VALUES (%(hub_no)s, %(identity_id)s, %(random_id)s, 'sending', %(text)s)
ON CONFLICT (hub_no, identity_id) DO UPDATE SET text = excluded.text
WHERE topic_summaries.state = 'sending' AND topic_summaries.random_id = excluded.random_id
"""

FINISH_SUMMARY: Final[LiteralString] = """
UPDATE topic_summaries SET state = %(state)s, message_id = %(message_id)s
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND state = 'sending'
"""

BEGIN_SUMMARY_EDIT: Final[LiteralString] = """
UPDATE topic_summaries SET state = 'editing', text = %(text)s
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND state IN ('sent', 'editing')
"""

FINISH_SUMMARY_EDIT: Final[LiteralString] = """
UPDATE topic_summaries SET state = 'sent'
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND state = 'editing'
"""

PINNED_SUMMARY: Final[LiteralString] = """
UPDATE topic_summaries SET pinned = true
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND state IN ('sent', 'editing')
"""

FORGET_SUMMARY: Final[LiteralString] = """
DELETE FROM topic_summaries WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s
"""

FINISH_ANSWER: Final[LiteralString] = """
UPDATE hub_answers SET text = NULL, message_id = %(message_id)s
WHERE remark_id = %(remark_id)s AND message_id IS NULL
"""

# Where nobody can read them any more.
FORGET_ANSWERS: Final[LiteralString] = """
DELETE FROM hub_answers USING hub_remarks
WHERE hub_answers.remark_id = hub_remarks.remark_id AND hub_answers.message_id IS NULL
  AND hub_no = %(hub_no)s AND identity_id = %(identity_id)s
"""

# What is seen in a post that asks about a face is where the face is.
BEGIN_POST: Final[LiteralString] = """
INSERT INTO publications (publication_id, hub_no, identity_id, content_key, random_id, state,
                          caption, method, source_chat_no, source_message_id, album_id, media_id,
                          face_id, asked_id, placed)
SELECT %(publication_id)s, %(hub_no)s, %(identity_id)s, content_key, %(random_id)s,
       'sending', %(caption)s, %(method)s, %(source_chat_no)s, %(source_message_id)s,
       %(album_id)s, %(media_id)s, %(face_id)s, %(asked_id)s, %(placed)s
FROM (SELECT coalesce(%(content_key)s::text, (
    SELECT content_key FROM faces WHERE face_id = %(face_id)s)) AS content_key) AS shown
WHERE content_key IS NOT NULL
ON CONFLICT (publication_id) DO UPDATE
SET state = 'sending', random_id = excluded.random_id, caption = excluded.caption,
    method = excluded.method, source_chat_no = excluded.source_chat_no,
    source_message_id = excluded.source_message_id, album_id = excluded.album_id,
    media_id = excluded.media_id, refusal = NULL, retry_at = NULL
WHERE publications.state IN ('planned', 'sending')
"""

FINISH_POST: Final[LiteralString] = """
UPDATE publications SET state = %(state)s, message_id = %(message_id)s, sent_at = now()
WHERE publication_id = %(publication_id)s AND random_id = %(random_id)s AND state = 'sending'
"""

REFUSE_POST: Final[LiteralString] = """
INSERT INTO publications (publication_id, hub_no, identity_id, content_key, random_id, state,
                          refusal, retry_at, face_id, asked_id, placed)
SELECT %(publication_id)s, %(hub_no)s, %(identity_id)s, content_key, %(random_id)s,
       'planned', %(reason)s, %(retry_at)s, %(face_id)s, %(asked_id)s, %(placed)s
FROM (SELECT coalesce(%(content_key)s::text, (
    SELECT content_key FROM faces WHERE face_id = %(face_id)s)) AS content_key) AS shown
WHERE content_key IS NOT NULL
ON CONFLICT (publication_id) DO UPDATE
SET state = 'planned', caption = '', method = NULL, source_chat_no = NULL,
    source_message_id = NULL, album_id = NULL, media_id = NULL, refusal = excluded.refusal,
    retry_at = excluded.retry_at
WHERE publications.state IN ('planned', 'sending')
"""

SEEK_POST: Final[LiteralString] = """
UPDATE publications SET caption = %(nothing)s, album_id = NULL
WHERE publication_id = %(publication_id)s AND state = 'sending'
"""

BEGIN_CAPTION: Final[LiteralString] = """
UPDATE publications SET state = 'editing', caption = %(caption)s
WHERE publication_id = %(publication_id)s AND state IN ('sent', 'editing')
"""

FINISH_CAPTION: Final[LiteralString] = """
UPDATE publications SET state = 'sent'
WHERE publication_id = %(publication_id)s AND state = 'editing'
"""

BEGIN_REMOVALS: Final[LiteralString] = """
UPDATE publications SET state = 'removing'
WHERE publication_id = ANY(%(publication_ids)s) AND state IN ('sent', 'editing', 'removing')
"""

# Which post or question it was is kept for what is said of it late; whom and what it named is not.
FINISH_REMOVALS: Final[LiteralString] = """
UPDATE publications SET state = 'removed', caption = ''
WHERE publication_id = ANY(%(publication_ids)s) AND state = 'removing'
"""
