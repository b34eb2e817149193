-- Vectors that a change of models made with landmarks estimated from the box, because the other
-- model saw no face in the crop: they are poor, and how many there are is told.

CREATE TABLE estimated_vectors (
    face_id uuid,
    model text,
    PRIMARY KEY (face_id, model),
    FOREIGN KEY (face_id, model) REFERENCES embeddings ON DELETE CASCADE
);

-- Whoever makes a vector anew has seen the picture.
CREATE FUNCTION forget_estimate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM estimated_vectors WHERE face_id = NEW.face_id AND model = NEW.model;
    RETURN NULL;
END $$;

CREATE TRIGGER estimate_replaced AFTER UPDATE OF embedding ON embeddings
FOR EACH ROW EXECUTE FUNCTION forget_estimate();
