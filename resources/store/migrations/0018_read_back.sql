-- Hubs are held against what was last written to them, from the newest message down; a look that a
-- budget ended goes on where it was.
ALTER TABLE hubs
    -- The last look came down to this message; null: to the end.
    ADD COLUMN read_back_from bigint CHECK (read_back_from > 0),
    -- When a look last came to the end.
    ADD COLUMN read_back_at timestamptz,
    -- When a look last found something to put right: publishing is asked for again.
    ADD COLUMN drifted_at timestamptz;
