-- Originals: byte-identical files, kept where a chat's owner asks for them.

ALTER TABLE chats
    ADD COLUMN keep_originals boolean NOT NULL DEFAULT false,
    ADD CHECK (allow_archive OR NOT keep_originals);

ALTER TABLE media_products
    DROP CONSTRAINT media_products_product_check,
    ADD CONSTRAINT media_products_product_check CHECK (product IN (
        'fingerprints', 'thumbnails', 'faces', 'embeddings', 'originals'));

-- Whoever asks for one has all its bytes, so its content is named by its digest.
CREATE TABLE originals (
    content_key text PRIMARY KEY REFERENCES blobs CHECK (content_key LIKE 'sha256:%'),
    original_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- A picture of which only the beginning arrived; what was looked at earlier counts as whole.
ALTER TABLE blobs ADD COLUMN truncated boolean NOT NULL DEFAULT false;

-- A content that was read in parts takes along what is known of it when it gets its digest's name.
ALTER TABLE rejected_faces
    DROP CONSTRAINT rejected_faces_content_key_model_fkey,
    ADD CONSTRAINT rejected_faces_content_key_model_fkey
        FOREIGN KEY (content_key, model) REFERENCES searches
        ON UPDATE CASCADE ON DELETE CASCADE;
