-- What the matcher remembers between passes, so that it reads neither all faces nor all people
-- each time. Only a memory: it can be emptied at any time and is made again. Whatever changes what
-- it was made from removes it at once, a face's erasure above all.

-- For which model and rules the memory holds.
CREATE TABLE gallery_basis (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    basis text NOT NULL
);

-- Without a centre: no face of the identity may be compared.
CREATE TABLE portraits (
    identity_id uuid PRIMARY KEY REFERENCES identities ON DELETE CASCADE,
    centre vector,
    exemplars uuid[] NOT NULL,
    CHECK ((centre IS NULL) = (cardinality(exemplars) = 0))
);

-- Faces that were decided about and joined nobody, with the identities they are like: when the
-- portrait of one of these is gone, its face is due again.
CREATE TABLE waiting_faces (
    face_id uuid PRIMARY KEY REFERENCES faces ON DELETE CASCADE,
    near_identities uuid[] NOT NULL
);

-- A face joined or left.
CREATE FUNCTION forget_portraits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM portraits WHERE identity_id IN (SELECT identity_id FROM touched);
    DELETE FROM waiting_faces WHERE face_id IN (SELECT face_id FROM touched);
    RETURN NULL;
END $$;
CREATE TRIGGER assignments_joined AFTER INSERT ON assignments
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_portraits();
CREATE TRIGGER assignments_left AFTER DELETE ON assignments
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_portraits();
CREATE TRIGGER assignments_moved_from AFTER UPDATE ON assignments
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_portraits();
CREATE TRIGGER assignments_moved_to AFTER UPDATE ON assignments
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_portraits();

-- A face was embedded anew.
CREATE FUNCTION forget_embedded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM portraits WHERE identity_id IN (
        SELECT identity_id FROM assignments JOIN touched USING (face_id));
    DELETE FROM waiting_faces WHERE face_id IN (SELECT face_id FROM touched);
    RETURN NULL;
END $$;
CREATE TRIGGER embeddings_made AFTER INSERT ON embeddings
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_embedded();
CREATE TRIGGER embeddings_changed AFTER UPDATE ON embeddings
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_embedded();
CREATE TRIGGER embeddings_gone AFTER DELETE ON embeddings
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_embedded();

-- Somebody said something else about two faces.
CREATE FUNCTION forget_linked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM waiting_faces WHERE face_id IN (
        SELECT face_id FROM touched UNION ALL SELECT other_face_id FROM touched);
    RETURN NULL;
END $$;
CREATE TRIGGER constraints_made AFTER INSERT ON constraints
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_linked();
CREATE TRIGGER constraints_changed AFTER UPDATE ON constraints
    REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_linked();
CREATE TRIGGER constraints_gone AFTER DELETE ON constraints
    REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION forget_linked();

-- An identity came to draw faces or no longer does.
CREATE FUNCTION forget_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM portraits WHERE identity_id = NEW.identity_id;
    RETURN NULL;
END $$;
CREATE TRIGGER identities_stand_otherwise AFTER UPDATE OF state ON identities
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION forget_identity();

-- The owner of a chat switched its faces on or off.
CREATE FUNCTION forget_chat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM portraits WHERE identity_id IN (
        SELECT identity_id
        FROM message_media
        JOIN media USING (media_id)
        JOIN faces USING (content_key)
        JOIN assignments USING (face_id)
        WHERE message_media.chat_no = NEW.chat_no);
    RETURN NULL;
END $$;
CREATE TRIGGER chats_allow_otherwise AFTER UPDATE OF allow_faces ON chats
    FOR EACH ROW WHEN (OLD.allow_faces <> NEW.allow_faces) EXECUTE FUNCTION forget_chat();
