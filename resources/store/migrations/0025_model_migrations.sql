-- Changes of models: the archive is embedded by another model beside the one in use, then switched.

CREATE TABLE model_migrations (
    migration_id uuid PRIMARY KEY,
    from_model text NOT NULL REFERENCES models,
    to_model text NOT NULL REFERENCES models,
    state text NOT NULL DEFAULT 'embedding' CHECK (state IN ('embedding', 'switched', 'aborted')),
    -- What the owner asked for when it began.
    force boolean NOT NULL,
    redetect boolean NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    -- How the two models compared on the owner's decisions, in figures.
    evaluation jsonb,
    -- Until then the vectors of the model before are kept, for going back.
    old_vectors_until timestamptz,
    -- When the pictures were opened that the new model has to look at.
    opened_at timestamptz,
    CHECK (from_model <> to_model),
    CHECK ((state = 'embedding') = (ended_at IS NULL)),
    CHECK ((state = 'switched') = (old_vectors_until IS NOT NULL))
);
CREATE UNIQUE INDEX model_migrations_one ON model_migrations ((true)) WHERE state = 'embedding';

-- Faces whose crop cannot be read or embedded; after the switch their pictures are looked at.
CREATE TABLE migration_refusals (
    migration_id uuid NOT NULL REFERENCES model_migrations ON DELETE CASCADE,
    face_id uuid NOT NULL REFERENCES faces ON DELETE CASCADE,
    reason text NOT NULL,
    PRIMARY KEY (migration_id, face_id)
);
CREATE INDEX migration_refusals_face ON migration_refusals (face_id);

-- The oldest faces are embedded first, a batch after the other.
CREATE INDEX faces_by_age ON faces (created_at, face_id);
