-- The archive's tables. States, ranges and dims are CHECKs: a row that breaks a rule cannot
-- be written, whoever writes it. Every row says when it was made.

CREATE EXTENSION IF NOT EXISTS vector;

-- Telegram ---------------------------------------------------------------------------

CREATE TABLE accounts (
    account_id bigint PRIMARY KEY,
    name text NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'error')),
    state_reason text,
    flood_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE chats (
    chat_no bigint PRIMARY KEY CHECK (chat_no > 0),
    chat_id bigint NOT NULL,
    account_id bigint NOT NULL REFERENCES accounts,
    kind text NOT NULL CHECK (kind IN ('private', 'basic_group', 'supergroup', 'channel')),
    id_space text NOT NULL CHECK (id_space IN ('own', 'account')),
    title text NOT NULL,
    username text,
    is_forum boolean NOT NULL DEFAULT false,
    noforwards boolean NOT NULL DEFAULT false,
    allow_archive boolean NOT NULL DEFAULT false,
    allow_faces boolean NOT NULL DEFAULT false,
    allow_publish boolean NOT NULL DEFAULT false,
    media_types text[] NOT NULL
        DEFAULT '{photo,image_document,video,round_video,gif}'
        CHECK (media_types <@ ARRAY['photo', 'image_document', 'video', 'round_video', 'gif']),
    max_media_bytes bigint CHECK (max_media_bytes > 0),
    hold_backfill boolean NOT NULL DEFAULT false,
    is_hub boolean NOT NULL DEFAULT false,
    window_width bigint CHECK (window_width >= 10000),
    -- The largest id known to exist, from whatever source: it only grows.
    top_message_id bigint CHECK (top_message_id >= 0),
    -- Every message up to here lies in a planned window.
    planned_through bigint NOT NULL DEFAULT 0 CHECK (planned_through >= 0),
    -- When its owner named it; empty for a chat that is only spoken of in messages.
    added_at timestamptz,
    migrated_to bigint REFERENCES chats,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'lost')),
    state_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind IN ('supergroup', 'channel')) = (id_space = 'own')),
    -- A face needs the archive, a post needs the face; and a hub is never a source.
    CHECK (allow_archive OR NOT allow_faces),
    CHECK (allow_faces OR NOT allow_publish),
    CHECK (NOT (is_hub AND allow_archive))
);
CREATE UNIQUE INDEX chats_own_space ON chats (chat_id) WHERE id_space = 'own';
CREATE UNIQUE INDEX chats_account_space ON chats (account_id, chat_id)
    WHERE id_space = 'account';

CREATE TABLE account_chats (
    account_id bigint NOT NULL REFERENCES accounts,
    chat_no bigint NOT NULL REFERENCES chats,
    access_hash bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, chat_no)
);

CREATE TABLE users (
    user_id bigint PRIMARY KEY,
    first_name text,
    last_name text,
    username text,
    is_bot boolean NOT NULL DEFAULT false,
    is_deleted boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE windows (
    window_key text PRIMARY KEY CHECK (window_key ~ '^[0-9]+_[0-9]{10,}_[0-9]{10,}$'),
    chat_no bigint NOT NULL REFERENCES chats,
    first_id bigint NOT NULL CHECK (first_id > 0),
    last_id bigint NOT NULL,
    -- Ids up to here were read; an open window reads only above it.
    watermark bigint NOT NULL DEFAULT 0 CHECK (watermark >= 0),
    sealed boolean GENERATED ALWAYS AS (watermark >= last_id) STORED,
    -- A reading in progress: it goes down from cursor_id (exclusive) to floor_id, and when it
    -- is through, the watermark rises to reach_id.
    cursor_id bigint,
    floor_id bigint,
    reach_id bigint,
    -- Something in it has to be done again: an edit, a deletion, a switch that went on.
    dirty boolean NOT NULL DEFAULT false,
    -- How often it became dirty: makes each demand for a run a different one.
    demands integer NOT NULL DEFAULT 0 CHECK (demands >= 0),
    read_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (chat_no, first_id),
    CHECK (last_id >= first_id),
    CHECK (num_nulls(cursor_id, floor_id, reach_id) IN (0, 3))
);

CREATE TABLE messages (
    chat_no bigint NOT NULL REFERENCES chats,
    message_id bigint NOT NULL CHECK (message_id > 0),
    kind text NOT NULL CHECK (kind IN ('text', 'media', 'service')),
    sent_at timestamptz NOT NULL,
    edited_at timestamptz,
    deleted_at timestamptz,
    sender_id bigint,
    text text NOT NULL DEFAULT '',
    reply_to_id bigint,
    topic_id bigint,
    grouped_id bigint,
    forwarded_from bigint,
    forwarded_message_id bigint,
    forwarded_at timestamptz,
    raw jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_no, message_id)
);
CREATE INDEX messages_sent_at ON messages (chat_no, sent_at);

CREATE TABLE inbox (
    inbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chat_no bigint NOT NULL REFERENCES chats,
    message_id bigint NOT NULL CHECK (message_id > 0),
    change text NOT NULL CHECK (change IN ('new', 'edited', 'deleted', 'gap')),
    applied_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_waiting ON inbox (inbox_id) WHERE applied_at IS NULL;

-- Media ------------------------------------------------------------------------------

CREATE TABLE blobs (
    content_key text PRIMARY KEY CHECK (content_key ~ '^(sha256:[0-9a-f]{64}|tgdoc:.+)$'),
    sha256 bytea UNIQUE CHECK (octet_length(sha256) = 32),
    phash bigint,
    width integer CHECK (width > 0),
    height integer CHECK (height > 0),
    duration_seconds double precision CHECK (duration_seconds >= 0),
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    exif jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE media (
    media_id text PRIMARY KEY CHECK (media_id ~ '^(photo|document|message):'),
    kind text NOT NULL CHECK (kind IN (
        'photo', 'image_document', 'video', 'round_video', 'gif', 'sticker', 'audio',
        'voice', 'document', 'paid', 'view_once')),
    mime_type text,
    file_name text,
    size_bytes bigint CHECK (size_bytes >= 0),
    width integer,
    height integer,
    duration_seconds double precision,
    dc_id integer,
    variant text NOT NULL DEFAULT '',
    content_key text REFERENCES blobs,
    -- Who works on it, and until when that holds: the medium is in flight.
    lease_owner text,
    lease_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL))
);
CREATE INDEX media_content ON media (content_key);
CREATE INDEX media_leased ON media (lease_owner) WHERE lease_owner IS NOT NULL;

CREATE TABLE media_access (
    account_id bigint NOT NULL REFERENCES accounts,
    media_id text NOT NULL REFERENCES media ON DELETE CASCADE,
    access_hash bigint NOT NULL,
    file_reference bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, media_id)
);

CREATE TABLE message_media (
    chat_no bigint NOT NULL,
    message_id bigint NOT NULL,
    media_id text NOT NULL REFERENCES media,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_no, message_id, media_id),
    FOREIGN KEY (chat_no, message_id) REFERENCES messages ON DELETE CASCADE
);
CREATE INDEX message_media_media ON message_media (media_id);

-- The ledger: one row a medium and product.
CREATE TABLE media_products (
    media_id text NOT NULL REFERENCES media ON DELETE CASCADE,
    product text NOT NULL CHECK (product IN (
        'fingerprints', 'thumbnails', 'faces', 'embeddings')),
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'done', 'skipped', 'failed')),
    reason text,
    error text,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    retry_at timestamptz,
    producer text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (media_id, product),
    CHECK ((state IN ('skipped', 'failed')) = (reason IS NOT NULL)),
    CHECK (state <> 'done' OR producer IS NOT NULL)
);
CREATE INDEX media_products_open ON media_products (state) WHERE state IN ('pending', 'failed');

-- Every live message a content came from, with what its chat allows: the one place that knows.
CREATE VIEW content_sources AS
SELECT media.content_key, media.media_id, message_media.chat_no, message_media.message_id,
       messages.sent_at, chats.allow_archive, chats.allow_faces, chats.allow_publish
FROM media
JOIN message_media USING (media_id)
JOIN messages USING (chat_no, message_id)
JOIN chats USING (chat_no)
WHERE media.content_key IS NOT NULL AND messages.deleted_at IS NULL;

-- Faces ------------------------------------------------------------------------------

CREATE TABLE models (
    name text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('insightface', 'dlib')),
    licence text NOT NULL,
    commercial_use boolean NOT NULL,
    -- Of its files in order of use: other files are another model, whatever their name.
    sha256 text CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    dims integer NOT NULL CHECK (dims BETWEEN 1 AND 4096),
    thresholds jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE faces (
    face_id uuid PRIMARY KEY,
    content_key text NOT NULL REFERENCES blobs,
    frame_seconds double precision NOT NULL DEFAULT 0 CHECK (frame_seconds >= 0),
    x1 real NOT NULL,
    y1 real NOT NULL,
    x2 real NOT NULL,
    y2 real NOT NULL,
    landmarks real[] NOT NULL,
    landmark_schema text NOT NULL,
    detection_score real NOT NULL,
    quality real NOT NULL CHECK (quality BETWEEN 0 AND 1),
    track integer,
    model text NOT NULL REFERENCES models,
    crop_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (x2 > x1 AND y2 > y1),
    UNIQUE (content_key, frame_seconds, x1, y1, x2, y2)
);

CREATE TABLE embeddings (
    face_id uuid NOT NULL REFERENCES faces ON DELETE CASCADE,
    model text NOT NULL REFERENCES models,
    dims integer NOT NULL CHECK (dims BETWEEN 1 AND 4096),
    embedding vector NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (face_id, model),
    CHECK (vector_dims(embedding) = dims),
    CHECK (abs(vector_norm(embedding) - 1) < 0.001)
);

-- People -----------------------------------------------------------------------------

CREATE TABLE identities (
    identity_id uuid PRIMARY KEY,
    number integer NOT NULL UNIQUE CHECK (number > 0),
    model text NOT NULL REFERENCES models,
    label text,
    state text NOT NULL DEFAULT 'visible'
        CHECK (state IN ('visible', 'hidden', 'merged', 'erased')),
    merged_into uuid REFERENCES identities,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'merged') = (merged_into IS NOT NULL))
);

CREATE TABLE event_payloads (
    payload_id uuid PRIMARY KEY,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Append-only: the log is the truth, the tables beside it are its projection. The ids are
-- not foreign keys, because the log outlives what it speaks of.
CREATE TABLE identity_events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN (
        'found', 'assigned', 'unassigned', 'merged', 'split', 'rejected', 'confirmed',
        'renamed', 'hidden', 'cover_chosen', 'not_a_face', 'face_drawn', 'erased', 'undone')),
    identity_id uuid NOT NULL,
    other_identity_id uuid,
    face_id uuid,
    -- Of an assignment: how like the identity the face was, so that replay gives it back.
    similarity real CHECK (similarity BETWEEN -1.001 AND 1.001),
    actor text NOT NULL,
    cause text,
    payload_id uuid REFERENCES event_payloads ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX identity_events_identity ON identity_events (identity_id);

CREATE FUNCTION refuse_rewriting_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'identity_events is append-only';
END $$;
CREATE TRIGGER identity_events_append_only
    BEFORE UPDATE OF event_id, kind, identity_id, other_identity_id, face_id, similarity,
        actor, cause, created_at OR DELETE ON identity_events
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();

CREATE TABLE assignments (
    face_id uuid PRIMARY KEY REFERENCES faces ON DELETE CASCADE,
    identity_id uuid NOT NULL REFERENCES identities,
    similarity real NOT NULL CHECK (similarity BETWEEN -1.001 AND 1.001),
    decided_by text NOT NULL CHECK (decided_by IN ('matcher', 'person')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX assignments_identity ON assignments (identity_id);

-- Topics -----------------------------------------------------------------------------

CREATE TABLE hubs (
    hub_no bigint PRIMARY KEY CHECK (hub_no > 0),
    chat_no bigint NOT NULL UNIQUE REFERENCES chats,
    in_use boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'blocked')),
    state_reason text,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX hubs_one_in_use ON hubs (in_use) WHERE in_use;

CREATE TABLE topics (
    hub_no bigint NOT NULL REFERENCES hubs,
    identity_id uuid NOT NULL REFERENCES identities,
    random_id bigint NOT NULL UNIQUE CHECK (random_id <> 0),
    state text NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'sending', 'sent', 'removing', 'removed')),
    topic_id bigint CHECK (topic_id > 1),
    title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 128),
    icon_color integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (hub_no, identity_id),
    CHECK ((topic_id IS NULL) = (state IN ('planned', 'sending')))
);

CREATE TABLE publications (
    publication_id uuid PRIMARY KEY,
    hub_no bigint NOT NULL,
    identity_id uuid NOT NULL,
    content_key text NOT NULL REFERENCES blobs,
    random_id bigint NOT NULL UNIQUE CHECK (random_id <> 0),
    state text NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'sending', 'sent', 'removing', 'removed')),
    message_id bigint CHECK (message_id > 0),
    caption text NOT NULL DEFAULT '',
    -- How and from which source the send was tried: a repeat must be identical.
    method text CHECK (method IN ('reference', 'forward', 'upload')),
    source_chat_no bigint,
    source_message_id bigint,
    -- Why no way of copying worked, and when it is worth another try.
    refusal text,
    retry_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    FOREIGN KEY (hub_no, identity_id) REFERENCES topics,
    CHECK ((message_id IS NULL) = (state IN ('planned', 'sending'))),
    CHECK (state <> 'sending' OR method IS NOT NULL),
    CHECK ((refusal IS NULL) = (retry_at IS NULL)),
    CHECK (refusal IS NULL OR state = 'planned')
);
CREATE UNIQUE INDEX publications_once ON publications (hub_no, identity_id, content_key)
    WHERE state <> 'removed';

-- Running ----------------------------------------------------------------------------

CREATE TABLE stage_timings (
    timing_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stage text NOT NULL,
    window_key text,
    seconds double precision NOT NULL CHECK (seconds >= 0),
    items integer NOT NULL CHECK (items >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stage_timings_stage ON stage_timings (stage, created_at);
