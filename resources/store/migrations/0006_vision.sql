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

-- What the camera wrote into an image that was sent as a file, read and checked; the tags as they
-- are stay in `exif`. The camera's clock has no zone unless the offset says it.
ALTER TABLE blobs
    ADD COLUMN taken_at timestamp,
    ADD COLUMN utc_offset_minutes smallint CHECK (utc_offset_minutes BETWEEN -840 AND 840),
    ADD COLUMN latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    ADD COLUMN longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    ADD COLUMN altitude_metres double precision,
    ADD COLUMN camera_make text,
    ADD COLUMN camera_model text,
    ADD COLUMN lens text,
    ADD COLUMN iso integer CHECK (iso > 0),
    ADD COLUMN aperture double precision CHECK (aperture > 0),
    ADD COLUMN shutter_seconds double precision CHECK (shutter_seconds > 0),
    ADD COLUMN focal_length_mm double precision CHECK (focal_length_mm > 0),
    ADD COLUMN place text,
    ADD COLUMN region text,
    ADD COLUMN country_code text,
    -- Which gazetteer named it, or found that nothing is near.
    ADD COLUMN named_by text,
    ADD CHECK ((latitude IS NULL) = (longitude IS NULL));
CREATE INDEX blobs_located ON blobs (content_key) WHERE latitude IS NOT NULL;
