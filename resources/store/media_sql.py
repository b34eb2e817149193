"""The statements of the media ledger. Text only; ``media`` sends them."""

from __future__ import annotations

from typing import Final, LiteralString

POLICIES: Final[LiteralString] = """
SELECT chat_no, allow_archive, allow_faces, keep_originals, media_types, max_media_bytes
FROM chats WHERE chat_no = ANY(%(chat_nos)s)
"""

MEDIA: Final[LiteralString] = """
SELECT media.*, max(message_media.message_id) AS message_id,
       originals.original_key, blobs.sha256, blobs.size_bytes AS original_bytes
FROM message_media
JOIN messages USING (chat_no, message_id)
JOIN media USING (media_id)
LEFT JOIN originals USING (content_key)
LEFT JOIN blobs ON blobs.content_key = originals.content_key
WHERE message_media.chat_no = %(chat_no)s
  AND message_media.message_id BETWEEN %(first_id)s AND %(last_id)s
  AND messages.deleted_at IS NULL
GROUP BY media.media_id, originals.content_key, blobs.content_key
ORDER BY message_id DESC, media.media_id
"""

# Every chat that shows a medium of the window in a live message, the window's own included.
HOLDERS: Final[LiteralString] = """
SELECT DISTINCT held.media_id, held.chat_no
FROM message_media AS own
JOIN message_media AS held USING (media_id)
JOIN messages ON messages.chat_no = held.chat_no AND messages.message_id = held.message_id
WHERE own.chat_no = %(chat_no)s
  AND own.message_id BETWEEN %(first_id)s AND %(last_id)s
  AND messages.deleted_at IS NULL
"""

LEDGER: Final[LiteralString] = """
SELECT media_id, product, state, reason, producer, attempts, retry_at, updated_at
FROM media_products
WHERE media_id IN (
    SELECT media_id FROM message_media
    WHERE chat_no = %(chat_no)s AND message_id BETWEEN %(first_id)s AND %(last_id)s)
"""

# NO KEY UPDATE, here and below: readings of history refer to media while passes work on them.
LOCK_MEDIA: Final[LiteralString] = """
SELECT FROM media WHERE media_id = ANY(%(media_ids)s::text[])
ORDER BY media_id FOR NO KEY UPDATE
"""

CHANGE_ROWS: Final[LiteralString] = """
UPDATE media_products AS row
SET state = new.state, reason = new.reason, producer = new.producer, attempts = new.attempts,
    error = NULL, retry_at = NULL, updated_at = now()
FROM unnest(%(media_ids)s::text[], %(products)s::text[], %(states)s::text[],
            %(reasons)s::text[], %(producers)s::text[], %(attempts)s::integer[],
            %(is_new)s::boolean[], %(old_states)s::text[], %(old_reasons)s::text[],
            %(old_producers)s::text[])
    AS new (media_id, product, state, reason, producer, attempts,
            is_new, old_state, old_reason, old_producer)
WHERE NOT new.is_new
  AND row.media_id = new.media_id AND row.product = new.product
  AND row.state = new.old_state
  AND row.reason IS NOT DISTINCT FROM new.old_reason
  AND row.producer IS NOT DISTINCT FROM new.old_producer
"""

NEW_ROWS: Final[LiteralString] = """
INSERT INTO media_products (media_id, product, state, reason, producer, attempts)
SELECT media_id, product, state, reason, producer, attempts
FROM unnest(%(media_ids)s::text[], %(products)s::text[], %(states)s::text[],
            %(reasons)s::text[], %(producers)s::text[], %(attempts)s::integer[],
            %(is_new)s::boolean[])
    AS new (media_id, product, state, reason, producer, attempts, is_new)
WHERE is_new
ON CONFLICT (media_id, product) DO NOTHING
"""

# A lease is free when nobody has it, when its time is over, or when it is of an earlier pass of
# this window: we hold the window, so that one is dead. Leases are told by the server's clock,
# the only one that all who hold them share.
LEASE: Final[LiteralString] = """
WITH free AS (
    SELECT media_id, lease_owner IS NOT NULL AS was_in_flight
    FROM media
    WHERE media_id = ANY(%(media_ids)s::text[])
      AND (lease_owner IS NULL
           OR lease_until < now()
           OR (starts_with(lease_owner, %(window_prefix)s) AND lease_owner <> %(lease_owner)s))
      AND EXISTS (
          SELECT FROM media_products
          WHERE media_products.media_id = media.media_id
            AND product = ANY(%(products)s::text[])
            AND state IN ('pending', 'failed'))
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE media
SET lease_owner = %(lease_owner)s,
    lease_until = now() + make_interval(secs => %(lease_seconds)s)
FROM free WHERE free.media_id = media.media_id
RETURNING media.media_id, free.was_in_flight
"""

# Another medium brought the same content, made by the same producers: no download.
ADOPT: Final[LiteralString] = """
UPDATE media_products AS row
SET state = 'done', reason = NULL, error = NULL, retry_at = NULL, producer = today.producer,
    updated_at = now()
FROM media AS this,
     unnest(%(products)s::text[], %(producers)s::text[]) AS today (product, producer)
WHERE row.media_id = ANY(%(leased)s::text[])
  AND this.media_id = row.media_id
  AND row.product = today.product
  AND row.state IN ('pending', 'failed')
  AND EXISTS (
      SELECT FROM media AS twin
      JOIN media_products AS made USING (media_id)
      WHERE twin.content_key = this.content_key
        AND twin.media_id <> this.media_id
        AND made.product = row.product
        AND made.state = 'done'
        AND made.producer = today.producer)
"""

DUE: Final[LiteralString] = """
SELECT due.media_id, due.attempts,
       coalesce(media_access.access_hash, no_key.access_hash) AS access_hash,
       coalesce(media_access.file_reference, no_key.file_reference) AS file_reference
FROM (
    SELECT media_id, max(attempts) AS attempts
    FROM media_products
    WHERE media_id = ANY(%(media_ids)s::text[])
      AND product = ANY(%(products)s::text[])
      AND (state = 'pending'
           OR (state = 'failed' AND retry_at <= %(now)s))
    GROUP BY media_id
) AS due
LEFT JOIN media_access
    ON media_access.media_id = due.media_id AND media_access.account_id = %(account_id)s
-- A file of an export needs no key.
LEFT JOIN (SELECT media_id, 0 AS access_hash, ''::bytea AS file_reference FROM exported_files)
    AS no_key ON no_key.media_id = due.media_id
ORDER BY array_position(%(media_ids)s::text[], due.media_id)
"""

LET_GO: Final[LiteralString] = """
UPDATE media SET lease_owner = NULL, lease_until = NULL WHERE media_id = ANY(%s)
"""

# A row that is locked is being committed; the next renewal is in time for any other.
RENEW: Final[LiteralString] = """
UPDATE media SET lease_until = now() + make_interval(secs => %s)
WHERE media_id IN (
    SELECT media_id FROM media WHERE lease_owner = %s FOR NO KEY UPDATE SKIP LOCKED)
"""

RELEASE: Final[LiteralString] = """
UPDATE media SET lease_owner = NULL, lease_until = NULL
WHERE media_id IN (
    SELECT media_id FROM media WHERE lease_owner = %s ORDER BY media_id FOR NO KEY UPDATE)
"""

# SHARE: turning a switch off waits for this commit, or this commit sees it off.
LOCK_CHATS: Final[LiteralString] = """
SELECT chat_no, allow_archive, allow_faces, keep_originals,
       EXISTS (
           SELECT FROM message_media
           JOIN messages USING (chat_no, message_id)
           WHERE message_media.media_id = %(media_id)s
             AND message_media.chat_no = chats.chat_no
             AND messages.deleted_at IS NULL) AS is_source
FROM chats
WHERE chat_no = %(chat_no)s
   OR chat_no IN (SELECT chat_no FROM message_media WHERE media_id = %(media_id)s)
ORDER BY chat_no FOR SHARE
"""

OWN: Final[LiteralString] = """
SELECT FROM media WHERE media_id = %s AND lease_owner = %s FOR NO KEY UPDATE
"""

MADE: Final[LiteralString] = """
SELECT DISTINCT made.product
FROM media
JOIN media_products AS made USING (media_id)
JOIN unnest(%s::text[], %s::text[]) AS today (product, producer)
    ON today.product = made.product AND today.producer = made.producer
WHERE media.content_key = %s AND made.state = 'done'
"""

NAME_MEDIUM: Final[LiteralString] = """
UPDATE media SET content_key = %s WHERE media_id = %s
"""

# The same bytes may have come under names of two kinds: they lie under the later.
KEEP_ORIGINAL: Final[LiteralString] = """
WITH earlier AS (
    INSERT INTO doomed_crops (crop_key)
    SELECT original_key FROM originals
    WHERE content_key = %(content_key)s AND original_key <> %(original_key)s
    ON CONFLICT DO NOTHING
)
INSERT INTO originals (content_key, original_key) VALUES (%(content_key)s, %(original_key)s)
ON CONFLICT (content_key) DO UPDATE SET original_key = EXCLUDED.original_key
"""

FINISH_MEDIUM: Final[LiteralString] = """
UPDATE media SET content_key = %s, lease_owner = NULL, lease_until = NULL WHERE media_id = %s
"""

WRITE_ACCESS: Final[LiteralString] = """
INSERT INTO media_access (account_id, media_id, access_hash, file_reference)
SELECT account_id, %(media_id)s, %(access_hash)s, %(file_reference)s
FROM chats WHERE chat_no = %(chat_no)s
ON CONFLICT (account_id, media_id) DO UPDATE
SET access_hash = EXCLUDED.access_hash, file_reference = EXCLUDED.file_reference,
    updated_at = now()
WHERE media_access.file_reference <> EXCLUDED.file_reference
   OR media_access.access_hash <> EXCLUDED.access_hash
"""

DONE: Final[LiteralString] = """
INSERT INTO media_products (media_id, product, state, producer)
SELECT %(media_id)s, product, 'done', producer
FROM unnest(%(products)s::text[], %(producers)s::text[]) AS made (product, producer)
ON CONFLICT (media_id, product) DO UPDATE
SET state = 'done', reason = NULL, error = NULL, retry_at = NULL, producer = EXCLUDED.producer,
    updated_at = now()
"""

SET_BACK: Final[LiteralString] = """
UPDATE media_products AS row
SET state = %(state)s, reason = %(reason)s, error = %(error)s, retry_at = %(retry_at)s,
    attempts = attempts + %(failures)s, producer = today.producer, updated_at = now()
FROM unnest(%(products)s::text[], %(producers)s::text[]) AS today (product, producer)
WHERE row.media_id = %(media_id)s AND row.product = today.product
  AND row.state IN ('pending', 'failed')
"""

GIVE_UP: Final[LiteralString] = """
INSERT INTO failures (media_id, reason, error, attempts)
SELECT media_id, %(reason)s, %(error)s, max(attempts)
FROM media_products WHERE media_id = %(media_id)s AND product = ANY(%(products)s::text[])
GROUP BY media_id
ON CONFLICT (media_id) DO UPDATE
SET reason = EXCLUDED.reason, error = EXCLUDED.error, attempts = EXCLUDED.attempts,
    given_up_at = now(), ignored_at = NULL
"""

# What was given up may come back: by another producer, by a twin, by a person.
NOT_FAILED: Final[LiteralString] = """
DELETE FROM failures
WHERE media_id = ANY(%s::text[])
  AND NOT EXISTS (
      SELECT FROM media_products
      WHERE media_products.media_id = failures.media_id
        AND (state = 'failed' AND retry_at IS NULL OR reason = 'ignored'))
"""

TALLY: Final[LiteralString] = """
SELECT product, state, reason, count(*) AS media, min(retry_at) AS next_retry_at
FROM media_products
WHERE product = ANY(%(products)s::text[])
  AND media_id IN (
      SELECT media_id FROM message_media
      JOIN messages USING (chat_no, message_id)
      WHERE chat_no = %(chat_no)s
        AND message_id BETWEEN %(first_id)s AND %(last_id)s
        AND messages.deleted_at IS NULL)
GROUP BY product, state, reason
ORDER BY product, state, reason
"""

BLOB_KEYS: Final[LiteralString] = """
SELECT crop_key FROM faces
UNION SELECT picture_key FROM derived_pictures
UNION SELECT original_key FROM originals
"""
