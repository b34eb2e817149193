-- Thresholds that the archive's own labels gave, beside the model whose scores they are about.
-- Append-only but for the end of their time: what held when can be told afterwards.
CREATE TABLE model_thresholds (
    threshold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model text NOT NULL REFERENCES models,
    accept double precision NOT NULL CHECK (accept BETWEEN -1 AND 1),
    -- Provenance: the rate that was wanted, what the labels were, and what they gave.
    wanted_far double precision NOT NULL CHECK (wanted_far > 0 AND wanted_far < 1),
    source text NOT NULL,
    people integer NOT NULL CHECK (people > 0),
    genuine integer NOT NULL CHECK (genuine > 0),
    impostors integer NOT NULL CHECK (impostors > 0),
    tar double precision NOT NULL CHECK (tar BETWEEN 0 AND 1),
    far double precision NOT NULL CHECK (far BETWEEN 0 AND 1),
    decided_at timestamptz NOT NULL,
    replaced_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX model_thresholds_in_force ON model_thresholds (model)
    WHERE replaced_at IS NULL;
