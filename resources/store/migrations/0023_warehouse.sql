-- The warehouse is fed from snapshots in pieces: of messages a range of ids of one chat, of media,
-- contents, faces and assignments the days on which their rows were made. Whatever changes a row
-- that a snapshot shows notes the piece here, whoever does it, in the same transaction.

-- Only ever added to by writers, so that none waits for another; a snapshot removes the notes that
-- its own look at the archive held, and no other.
CREATE TABLE warehouse_changes (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relation text NOT NULL,
    -- The chat's number of messages; 0 where pieces are days.
    space bigint NOT NULL,
    -- Ids of messages, or days since 1970-01-01 (UTC); both included.
    first bigint NOT NULL,
    last bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (last >= first)
);

-- The last snapshots that were made of this very database: files of any other are made anew.
CREATE TABLE warehouse_state (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    build_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Rows that came or went. Ids that lie far apart are told apart.
CREATE FUNCTION note_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO warehouse_changes (relation, space, first, last)
    SELECT TG_TABLE_NAME, chat_no, min(message_id), max(message_id)
    FROM touched GROUP BY chat_no, message_id / 10000;
    RETURN NULL;
END $$;
CREATE FUNCTION note_days() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO warehouse_changes (relation, space, first, last)
    SELECT DISTINCT TG_TABLE_NAME, 0, day, day
    FROM (
        SELECT (created_at AT TIME ZONE 'UTC')::date - date '1970-01-01' AS day FROM touched
    ) AS days;
    RETURN NULL;
END $$;

-- Rows that changed, in a column that a snapshot shows: leases, counters and hashes change all
-- the time.
CREATE FUNCTION note_changed_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH old AS (
        SELECT chat_no, message_id, kind, sent_at, edited_at, deleted_at, sender_id, topic_id,
               grouped_id, forwarded_from, forwarded_message_id
        FROM before
    ), new AS (
        SELECT chat_no, message_id, kind, sent_at, edited_at, deleted_at, sender_id, topic_id,
               grouped_id, forwarded_from, forwarded_message_id
        FROM after
    ), touched AS (
        (TABLE old EXCEPT TABLE new) UNION ALL (TABLE new EXCEPT TABLE old)
    )
    INSERT INTO warehouse_changes (relation, space, first, last)
    SELECT TG_TABLE_NAME, chat_no, min(message_id), max(message_id)
    FROM touched GROUP BY chat_no, message_id / 10000;
    RETURN NULL;
END $$;
CREATE FUNCTION note_changed_message_media() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH old AS (
        SELECT chat_no, message_id, media_id FROM before
    ), new AS (
        SELECT chat_no, message_id, media_id FROM after
    ), touched AS (
        (TABLE old EXCEPT TABLE new) UNION ALL (TABLE new EXCEPT TABLE old)
    )
    INSERT INTO warehouse_changes (relation, space, first, last)
    SELECT TG_TABLE_NAME, chat_no, min(message_id), max(message_id)
    FROM touched GROUP BY chat_no, message_id / 10000;
    RETURN NULL;
END $$;
CREATE FUNCTION note_changed_media() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH old AS (
        SELECT media_id, kind, mime_type, size_bytes, content_key, created_at FROM before
    ), new AS (
        SELECT media_id, kind, mime_type, size_bytes, content_key, created_at FROM after
    ), touched AS (
        (TABLE old EXCEPT TABLE new) UNION ALL (TABLE new EXCEPT TABLE old)
    )
    INSERT INTO warehouse_changes (relation, space, first, last)
    SELECT DISTINCT TG_TABLE_NAME, 0, day, day
    FROM (
        SELECT (created_at AT TIME ZONE 'UTC')::date - date '1970-01-01' AS day FROM touched
    ) AS days;
    RETURN NULL;
END $$;
CREATE FUNCTION note_changed_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH old AS (
        SELECT content_key, size_bytes, width, height, duration_seconds, created_at FROM before
    ), new AS (
        SELECT content_key, size_bytes, width, height, duration_seconds, created_at FROM after
    ), touched AS (
        (TABLE old EXCEPT TABLE new) UNION ALL (TABLE new EXCEPT TABLE old)
    )
    INSERT INTO warehouse_changes (relation, space, first, last)
    SELECT DISTINCT TG_TABLE_NAME, 0, day, day
    FROM (
        SELECT (created_at AT TIME ZONE 'UTC')::date - date '1970-01-01' AS day FROM touched
    ) AS days;
    RETURN NULL;
END $$;
CREATE FUNCTION note_changed_faces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH old AS (
        SELECT face_id, content_key, frame_seconds, quality, track, created_at FROM before
    ), new AS (
        SELECT face_id, content_key, frame_seconds, quality, track, created_at FROM after
    ), touched AS (
        (TABLE old EXCEPT TABLE new) UNION ALL (TABLE new EXCEPT TABLE old)
    )
    INSERT INTO warehouse_changes (relation, space, first, last)
    SELECT DISTINCT TG_TABLE_NAME, 0, day, day
    FROM (
        SELECT (created_at AT TIME ZONE 'UTC')::date - date '1970-01-01' AS day FROM touched
    ) AS days;
    RETURN NULL;
END $$;
CREATE FUNCTION note_changed_assignments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH old AS (
        SELECT face_id, identity_id, similarity, decided_by, created_at FROM before
    ), new AS (
        SELECT face_id, identity_id, similarity, decided_by, created_at FROM after
    ), touched AS (
        (TABLE old EXCEPT TABLE new) UNION ALL (TABLE new EXCEPT TABLE old)
    )
    INSERT INTO warehouse_changes (relation, space, first, last)
    SELECT DISTINCT TG_TABLE_NAME, 0, day, day
    FROM (
        SELECT (created_at AT TIME ZONE 'UTC')::date - date '1970-01-01' AS day FROM touched
    ) AS days;
    RETURN NULL;
END $$;

-- No row is told of: nothing that was made before is true any more.
CREATE FUNCTION note_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM warehouse_state;
    RETURN NULL;
END $$;

DO $$
DECLARE
    relation text;
    piece text;
BEGIN
    FOR relation, piece IN VALUES
        ('messages', 'messages'), ('message_media', 'messages'), ('media', 'days'),
        ('blobs', 'days'), ('faces', 'days'), ('assignments', 'days')
    LOOP
        EXECUTE format(
            'CREATE TRIGGER warehouse_came AFTER INSERT ON %I REFERENCING NEW TABLE AS touched'
            ' FOR EACH STATEMENT EXECUTE FUNCTION %I()', relation, 'note_' || piece);
        EXECUTE format(
            'CREATE TRIGGER warehouse_went AFTER DELETE ON %I REFERENCING OLD TABLE AS touched'
            ' FOR EACH STATEMENT EXECUTE FUNCTION %I()', relation, 'note_' || piece);
        EXECUTE format(
            'CREATE TRIGGER warehouse_changed AFTER UPDATE ON %I'
            ' REFERENCING OLD TABLE AS before NEW TABLE AS after'
            ' FOR EACH STATEMENT EXECUTE FUNCTION %I()', relation, 'note_changed_' || relation);
        EXECUTE format(
            'CREATE TRIGGER warehouse_emptied AFTER TRUNCATE ON %I'
            ' FOR EACH STATEMENT EXECUTE FUNCTION note_truncation()', relation);
    END LOOP;
END $$;

-- A day is read by itself. Rows lie in the order in which they were made, so a few bytes a
-- hundred pages are enough.
CREATE INDEX media_made ON media USING brin (created_at) WITH (autosummarize);
CREATE INDEX blobs_made ON blobs USING brin (created_at) WITH (autosummarize);
CREATE INDEX faces_made ON faces USING brin (created_at) WITH (autosummarize);
CREATE INDEX assignments_made ON assignments USING brin (created_at) WITH (autosummarize);
