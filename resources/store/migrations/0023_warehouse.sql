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

-- Arguments: what tells the space, what tells the number in it, how far apart two numbers may be to
-- be noted as one, and the columns that a snapshot shows.
CREATE FUNCTION note_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- Rows that came or went; of rows that changed those that a snapshot shows otherwise, because
    -- leases, counters and hashes change all the time.
    touched text := CASE WHEN TG_OP = 'UPDATE' THEN format(
        '((SELECT %1$s FROM before EXCEPT SELECT %1$s FROM after) UNION ALL'
        ' (SELECT %1$s FROM after EXCEPT SELECT %1$s FROM before))', TG_ARGV[3])
        ELSE 'touched' END;
BEGIN
    EXECUTE format(
        'INSERT INTO warehouse_changes (relation, space, first, last)'
        ' SELECT %1$L, %2$s, min(%3$s), max(%3$s) FROM %5$s AS touched'
        ' GROUP BY %2$s, (%3$s) / %4$s',
        TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[1], TG_ARGV[2], touched);
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
    -- Ids of messages by the ten thousand, days one by one.
    messages text := format('%L, %L, %L', 'chat_no', 'message_id', 10000);
    days text := format('%L, %L, %L', '0::bigint',
        '(created_at AT TIME ZONE ''UTC'')::date - date ''1970-01-01''', 1);
    pieces text;
    columns text;
BEGIN
    FOR relation, pieces, columns IN VALUES
        ('messages', messages,
         'chat_no, message_id, kind, sent_at, edited_at, deleted_at, sender_id, topic_id,'
         ' grouped_id, forwarded_from, forwarded_message_id'),
        ('message_media', messages, 'chat_no, message_id, media_id'),
        ('media', days, 'media_id, kind, mime_type, size_bytes, content_key, created_at'),
        ('blobs', days, 'content_key, size_bytes, width, height, duration_seconds, created_at'),
        ('faces', days, 'face_id, content_key, frame_seconds, quality, track, created_at'),
        ('assignments', days, 'face_id, identity_id, similarity, decided_by, created_at')
    LOOP
        EXECUTE format(
            'CREATE TRIGGER warehouse_came AFTER INSERT ON %I REFERENCING NEW TABLE AS touched'
            ' FOR EACH STATEMENT EXECUTE FUNCTION note_changes(%s, %L)',
            relation, pieces, columns);
        EXECUTE format(
            'CREATE TRIGGER warehouse_went AFTER DELETE ON %I REFERENCING OLD TABLE AS touched'
            ' FOR EACH STATEMENT EXECUTE FUNCTION note_changes(%s, %L)',
            relation, pieces, columns);
        EXECUTE format(
            'CREATE TRIGGER warehouse_changed AFTER UPDATE ON %I'
            ' REFERENCING OLD TABLE AS before NEW TABLE AS after'
            ' FOR EACH STATEMENT EXECUTE FUNCTION note_changes(%s, %L)',
            relation, pieces, columns);
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
