-- An appearance in a video: when the face was first and last seen. Empty for photos.
ALTER TABLE faces
    ADD COLUMN first_seconds double precision,
    ADD COLUMN last_seconds double precision,
    ADD CHECK (num_nulls(first_seconds, last_seconds) IN (0, 2)),
    ADD CHECK (first_seconds <= frame_seconds AND frame_seconds <= last_seconds);

-- Small pictures of a content, made by the product `thumbnails`.
CREATE TABLE derived_pictures (
    content_key text NOT NULL REFERENCES blobs ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('thumbnail', 'strip')),
    -- Longest edge that was asked for; of a strip its height. Nothing is enlarged.
    edge integer NOT NULL CHECK (edge > 0),
    format text NOT NULL CHECK (format IN ('webp', 'avif', 'jpeg')),
    width integer NOT NULL CHECK (width > 0),
    height integer NOT NULL CHECK (height > 0),
    picture_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (content_key, role, edge, format)
);

-- Contents that look alike. A content is searched for again when it has another hash.
ALTER TABLE blobs ADD COLUMN linked_phash bigint;
CREATE INDEX blobs_unlinked ON blobs (content_key) WHERE phash IS DISTINCT FROM linked_phash;

CREATE TABLE near_copies (
    first_key text NOT NULL REFERENCES blobs ON DELETE CASCADE,
    second_key text NOT NULL REFERENCES blobs ON DELETE CASCADE,
    bits smallint NOT NULL CHECK (bits BETWEEN 0 AND 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (first_key, second_key),
    CHECK (first_key < second_key COLLATE "C")
);
CREATE INDEX near_copies_second ON near_copies (second_key);
