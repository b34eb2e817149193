-- Which model finds and compares faces here. It stands in the archive itself, so that a change of
-- models is one transaction that whoever stores vectors sees or waits for. The setting only says
-- with which model an archive begins: the row comes with its first vectors.

CREATE TABLE model_in_use (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    model text NOT NULL REFERENCES models,
    since timestamptz NOT NULL DEFAULT now()
);

-- Until now the setting decided at every commit: the newest vectors say what it was last.
INSERT INTO model_in_use (model)
SELECT model FROM embeddings ORDER BY created_at DESC LIMIT 1;

-- What the matcher remembers it made of vectors of the model in use. Those of another come and go
-- beside it: an archive that is embedded anew goes on matching, and the kept vectors of an earlier
-- model can be removed. Where none is in use yet, all count.
CREATE OR REPLACE FUNCTION forget_embedded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM portraits WHERE identity_id IN (
        SELECT identity_id FROM assignments JOIN touched USING (face_id)
        WHERE NOT EXISTS (SELECT FROM model_in_use WHERE model_in_use.model <> touched.model));
    DELETE FROM waiting_faces WHERE face_id IN (
        SELECT face_id FROM touched
        WHERE NOT EXISTS (SELECT FROM model_in_use WHERE model_in_use.model <> touched.model));
    RETURN NULL;
END $$;
