-- A hub has one topic of open questions. It is nobody's: its owner is the identity that there is
-- none of, and whoever owns another topic still has to be somebody.

ALTER TABLE topics
    DROP CONSTRAINT topics_identity_id_fkey,
    ADD COLUMN person_id uuid GENERATED ALWAYS AS (
        nullif(identity_id, '00000000-0000-0000-0000-000000000000')) STORED
        REFERENCES identities;

-- What a post of that topic asks: whether this face is that person's, and whether the matcher had
-- put it there when this was asked. A face may be gone before its post is.
ALTER TABLE publications
    ADD COLUMN face_id uuid,
    ADD COLUMN asked_id uuid REFERENCES identities,
    ADD COLUMN placed boolean,
    ADD CONSTRAINT publications_asked CHECK (
        num_nulls(face_id, asked_id, placed)
            = CASE identity_id WHEN '00000000-0000-0000-0000-000000000000' THEN 0 ELSE 3 END);

DROP INDEX publications_once;
CREATE UNIQUE INDEX publications_once
    ON publications (hub_no, identity_id, content_key, face_id, asked_id, placed)
    NULLS NOT DISTINCT WHERE state <> 'removed';

-- Which message of which chat may be shown in a hub: whose chat allows it, that still is there or
-- is kept, and that protects its content no more than its chat does. The raw object keeps the mark
-- only where it is true.
CREATE VIEW publishable_sources AS
SELECT media.content_key, messages.chat_no, messages.message_id, messages.sent_at, media.media_id,
       messages.topic_id, messages.grouped_id
FROM media
JOIN message_media USING (media_id)
JOIN messages USING (chat_no, message_id)
JOIN chats USING (chat_no)
WHERE chats.allow_publish AND NOT chats.noforwards AND NOT chats.is_hub
  AND (messages.deleted_at IS NULL OR chats.on_deletion = 'keep')
  AND NOT messages.raw ? 'noforwards';

-- Questions that nobody and nothing has answered: the face is where it was when that was asked, no
-- person put it there, and none said of it and one of theirs that they are one or that they are not.
CREATE FUNCTION doubt_is_open(asked_face uuid, asked_identity uuid, was_placed boolean)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM faces
        JOIN identities ON identities.identity_id = asked_identity AND state = 'visible'
        LEFT JOIN assignments USING (face_id)
        WHERE face_id = asked_face
          AND assignments.identity_id IS NOT DISTINCT FROM
              CASE WHEN was_placed THEN asked_identity END
          AND assignments.decided_by IS DISTINCT FROM 'person'
    ) AND NOT EXISTS (
        SELECT FROM suppressed_regions WHERE suppressed_regions.face_id = asked_face
    ) AND NOT EXISTS (
        SELECT FROM constraints
        JOIN assignments ON assignments.identity_id = asked_identity
            AND assignments.face_id = CASE asked_face
                WHEN constraints.face_id THEN constraints.other_face_id
                ELSE constraints.face_id END
        WHERE constraints.face_id = asked_face OR constraints.other_face_id = asked_face
    )
$$;
