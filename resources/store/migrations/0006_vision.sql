-- An appearance in a video: when the face was first and last seen. Empty for photos.
ALTER TABLE faces
    ADD COLUMN first_seconds double precision,
    ADD COLUMN last_seconds double precision,
    ADD CHECK (num_nulls(first_seconds, last_seconds) IN (0, 2)),
    ADD CHECK (first_seconds <= frame_seconds AND frame_seconds <= last_seconds);
