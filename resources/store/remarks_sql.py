"""The statements that keep and settle what is said in hubs.

Who has a say is judged by the view ``waiting_remarks``.
"""

from __future__ import annotations

from typing import Final, LiteralString

# Only what is said in a person's topic; nobody knows whom the rest is about. A difference that was
# too long brings the newest first; ids of a group count up with time.
KEEP: Final[LiteralString] = """
INSERT INTO hub_remarks (hub_no, identity_id, topic_id, message_id, sender_id, kind, text,
                         reply_to_id, sent_at)
SELECT hubs.hub_no, topics.identity_id, said.topic_id, said.message_id, said.sender_id, said.kind,
       said.text, said.reply_to_id, said.sent_at
FROM unnest(%(chat_ids)s::bigint[], %(topic_ids)s::bigint[], %(message_ids)s::bigint[],
            %(sender_ids)s::bigint[], %(kinds)s::text[], %(texts)s::text[],
            %(reply_to_ids)s::bigint[], %(dates)s::timestamptz[])
    AS said (chat_id, topic_id, message_id, sender_id, kind, text, reply_to_id, sent_at)
JOIN chats USING (chat_id)
JOIN hubs USING (chat_no)
JOIN topics ON topics.hub_no = hubs.hub_no AND topics.topic_id = said.topic_id
WHERE chats.account_id = %(account_id)s AND chats.is_hub
ORDER BY said.message_id
ON CONFLICT DO NOTHING
"""

# Four weeks: as long as titles that we gave are known for ours (``FORGET_GIVEN_TITLES``), and then
# some; what was said longer ago nobody expects to have an effect any more.
UNHEARD: Final[LiteralString] = """
SELECT said.message_id
FROM unnest(%(message_ids)s::bigint[], %(dates)s::timestamptz[]) AS said (message_id, sent_at)
WHERE said.sent_at > now() - interval '28 days' AND NOT EXISTS (
    SELECT FROM hub_remarks
    WHERE hub_remarks.hub_no = %(hub_no)s AND hub_remarks.message_id = said.message_id)
"""

TITLES_WAITING: Final[LiteralString] = """
SELECT topic_id, text FROM hub_remarks
WHERE hub_no = %(hub_no)s AND kind = 'title' AND settled_at IS NULL
"""

# As it was said, whenever it was heard; ids of a group count up with time.
WAITING: Final[LiteralString] = """
SELECT * FROM waiting_remarks ORDER BY sent_at, message_id, remark_id LIMIT %s
"""

TAKE: Final[LiteralString] = """
SELECT hub_no, identity_id, topic_id, message_id, text, reply_to_id
FROM hub_remarks WHERE remark_id = %s AND settled_at IS NULL FOR UPDATE
"""

SETTLE: Final[LiteralString] = """
UPDATE hub_remarks SET text = NULL, settled_at = now(), fate = %(fate)s
WHERE remark_id = %(remark_id)s
"""

GIVE_UP: Final[LiteralString] = """
UPDATE hub_remarks SET text = NULL, settled_at = now(), fate = 'stranger'
WHERE remark_id IN (
    SELECT remark_id FROM waiting_remarks
    WHERE may IS NULL AND created_at < now() - %(after)s)
"""

# Nobody waits for an answer in a topic that is gone.
ANSWER: Final[LiteralString] = """
INSERT INTO hub_answers (remark_id, random_id, text)
SELECT %(remark_id)s, %(random_id)s, %(answer)s FROM topics
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND topic_id = %(topic_id)s
  AND state IN ('sent', 'editing')
"""

NOTE_TITLE: Final[LiteralString] = """
UPDATE topics SET title = left(%(text)s::text, 128), title_message_id = %(message_id)s
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND topic_id = %(topic_id)s
  AND state IN ('sent', 'editing') AND title_message_id < %(message_id)s
"""

# A request is sent right after it was noted; an hour more is for one that Telegram let wait.
CLAIM_TITLE: Final[LiteralString] = """
UPDATE given_titles SET heard_as = remark.message_id
FROM hub_remarks AS remark
WHERE remark.remark_id = %(remark_id)s AND remark.kind = 'title' AND given_id = (
    SELECT given_id FROM given_titles
    WHERE hub_no = remark.hub_no AND identity_id = remark.identity_id AND heard_as IS NULL
      AND digest = sha256(convert_to(remark.text, 'UTF8'))
      AND remark.sent_at BETWEEN given_titles.created_at - interval '10 minutes'
                             AND given_titles.created_at + interval '1 hour'
    ORDER BY given_id LIMIT 1)
"""

IS_OURS: Final[LiteralString] = """
SELECT EXISTS (
    SELECT FROM topic_summaries WHERE hub_no = %(hub_no)s AND message_id = %(message_id)s
    UNION ALL
    SELECT FROM hub_answers JOIN hub_remarks USING (remark_id)
    WHERE hub_no = %(hub_no)s AND hub_answers.message_id = %(message_id)s)
"""

# Whoever met it late may have met it after what was said later. A person is the same in every hub;
# a post is one of its hub, and so is the topic of questions, which is nobody's.
IS_OVERTAKEN: Final[LiteralString] = """
SELECT EXISTS (
    SELECT FROM hub_remarks AS late JOIN hub_remarks AS later USING (identity_id)
    WHERE late.remark_id = %(remark_id)s AND later.fate = 'decided'
      AND (later.sent_at, later.message_id) > (late.sent_at, late.message_id)
      AND (later.hub_no = late.hub_no
           OR NOT %(by_answers)s
              AND late.identity_id <> '00000000-0000-0000-0000-000000000000')
      AND (NOT %(by_answers)s OR later.reply_to_id = late.reply_to_id))
"""

POST: Final[LiteralString] = """
SELECT content_key FROM publications
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND message_id = %(reply_to_id)s
"""

# Also of a question that left the hub meanwhile.
DOUBT: Final[LiteralString] = """
SELECT face_id, asked_id, placed FROM publications
WHERE hub_no = %(hub_no)s AND identity_id = %(identity_id)s AND message_id = %(reply_to_id)s
  AND face_id IS NOT NULL
"""

# What a post stands for: its content, and those that are named in it instead of being posted.
FACES: Final[LiteralString] = """
SELECT face_id
FROM assignments
JOIN faces USING (face_id)
JOIN blobs USING (content_key)
WHERE identity_id = %(identity_id)s AND (
    content_key = %(content_key)s
    OR bit_count((phash # (SELECT phash FROM blobs WHERE content_key = %(content_key)s))::bit(64))
       <= %(bits)s)
ORDER BY face_id
"""

FATES: Final[LiteralString] = """
SELECT coalesce(fate, 'waiting'), count(*) FROM hub_remarks
WHERE hub_no = %(hub_no)s GROUP BY 1 ORDER BY 1
"""

UNJUDGED: Final[LiteralString] = """
SELECT DISTINCT hub_no, chat_no FROM waiting_remarks
WHERE account_id = %(account_id)s AND may IS NULL AND NOT is_own
  AND (admins_read_at IS NULL OR admins_read_at < now() - interval '1 minute')
"""

SAVE_ADMINS: Final[LiteralString] = """
INSERT INTO hub_admins (hub_no, user_ids) VALUES (%(hub_no)s, %(user_ids)s)
ON CONFLICT (hub_no) DO UPDATE SET user_ids = excluded.user_ids, read_at = excluded.read_at
"""
