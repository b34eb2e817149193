-- Dead letters: media that were tried as often as the ledger allows and given up. Their rows in
-- media_products stay failed, without a time to try again. A person looks, and has them tried
-- once more or ignored.
CREATE TABLE failures (
    media_id text PRIMARY KEY REFERENCES media ON DELETE CASCADE,
    reason text NOT NULL,
    error text NOT NULL,
    attempts integer NOT NULL CHECK (attempts > 0),
    given_up_at timestamptz NOT NULL DEFAULT now(),
    ignored_at timestamptz
);
