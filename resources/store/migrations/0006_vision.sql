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
