-- Edits are kept, deletions follow each chat's setting, and floods are the account's.

-- Every version of a message that was seen and is not the one in `messages`.
CREATE TABLE message_versions (
    chat_no bigint NOT NULL,
    message_id bigint NOT NULL,
    -- When this version was written: its edit, or the sending of the message.
    written_at timestamptz NOT NULL,
    text text NOT NULL,
    -- Not a foreign key: a version outlives the file that it carried.
    media_id text,
    raw jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (chat_no, message_id) REFERENCES messages ON DELETE CASCADE
);
-- Telegram tells edits to the second: two in one second differ by what they say.
CREATE UNIQUE INDEX message_versions_once ON message_versions
    (chat_no, message_id, written_at, md5(text), coalesce(media_id, ''));
CREATE INDEX message_versions_media ON message_versions (media_id) WHERE media_id IS NOT NULL;

-- What a deletion does to faces and posts.
ALTER TABLE chats ADD COLUMN on_deletion text NOT NULL DEFAULT 'hide'
    CHECK (on_deletion IN ('keep', 'hide', 'erase'));

CREATE INDEX messages_deleted ON messages (chat_no, deleted_at) WHERE deleted_at IS NOT NULL;

-- Deletions of a burst. While one is undecided its message counts as if it were not deleted;
-- one that was decided stays, so that neither answer is asked for again.
CREATE TABLE held_deletions (
    chat_no bigint NOT NULL,
    message_id bigint NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    decision text CHECK (decision IN ('confirmed', 'restored')),
    decided_at timestamptz,
    PRIMARY KEY (chat_no, message_id),
    FOREIGN KEY (chat_no, message_id) REFERENCES messages ON DELETE CASCADE,
    CHECK ((decision IS NULL) = (decided_at IS NULL))
);
CREATE INDEX held_deletions_waiting ON held_deletions (chat_no) WHERE decision IS NULL;

-- Every message a content came from that still counts as its source, with what its chat allows:
-- the one place that knows.
CREATE OR REPLACE VIEW content_sources AS
SELECT media.content_key, media.media_id, message_media.chat_no, message_media.message_id,
       messages.sent_at, chats.allow_archive, chats.allow_faces, chats.allow_publish
FROM media
JOIN message_media USING (media_id)
JOIN messages USING (chat_no, message_id)
JOIN chats USING (chat_no)
WHERE media.content_key IS NOT NULL
  AND (messages.deleted_at IS NULL OR chats.on_deletion = 'keep');

-- Contents to be erased: a chat that erases has lost them, no chat shows them, and something was
-- made of them. Ten minutes, because until then the deletion may turn out to be one of a burst
-- (archive.deletions), and what was erased does not come back.
CREATE VIEW lost_contents AS
SELECT DISTINCT media.content_key
FROM (
    SELECT chat_no, media_id, deleted_at AS lost_at
    FROM messages JOIN message_media USING (chat_no, message_id)
    WHERE deleted_at IS NOT NULL
    UNION ALL
    SELECT chat_no, media_id, created_at FROM message_versions WHERE media_id IS NOT NULL
) AS lost
JOIN chats USING (chat_no)
JOIN media USING (media_id)
WHERE chats.on_deletion = 'erase' AND lost.lost_at < now() - interval '10 minutes'
  AND EXISTS (SELECT FROM media_products WHERE media_products.media_id = media.media_id)
  AND NOT EXISTS (
      SELECT FROM content_sources WHERE content_sources.content_key = media.content_key);

-- Crops whose faces were erased. Files cannot be removed in a transaction: this remembers them
-- over a kill.
CREATE TABLE doomed_crops (
    crop_key text PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE accounts
    -- Which request brought the flood of flood_until.
    ADD COLUMN flood_method text,
    -- The token bucket as one time: the account's requests are spent up to here (GCRA).
    ADD COLUMN spent_until timestamptz NOT NULL DEFAULT 'epoch';

-- A run that Telegram told to wait for long ended instead of waiting: when to ask for it again.
ALTER TABLE windows ADD COLUMN resume_at timestamptz;
