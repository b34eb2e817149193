-- How history is read: how fast Telegram answers, exports, topics of chats, chats that moved or
-- were lost.

-- How fast Telegram answers an account: soft throttling shows here before any flood wait does.
CREATE TABLE account_pace (
    account_id bigint PRIMARY KEY REFERENCES accounts,
    -- Seconds of the newest hundred answers, oldest first.
    newest_seconds real[] NOT NULL,
    -- Their usual median; empty before the first hundred.
    baseline_seconds double precision CHECK (baseline_seconds > 0),
    slow_since timestamptz CHECK (slow_since IS NULL OR baseline_seconds IS NOT NULL),
    measured_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Takeout sessions: one lasts for many runs of a lane.
CREATE TABLE takeouts (
    account_id bigint NOT NULL REFERENCES accounts,
    lane text NOT NULL,
    takeout_id bigint,
    -- Plain requests until then, and why.
    refused_until timestamptz,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, lane),
    CHECK ((refused_until IS NULL) = (reason IS NULL))
);

CREATE TABLE forum_topics (
    chat_no bigint NOT NULL REFERENCES chats,
    topic_id bigint NOT NULL CHECK (topic_id > 0),
    -- Two topics may have the same one.
    title text NOT NULL,
    icon_color integer,
    creator_id bigint,
    opened_at timestamptz NOT NULL,
    is_closed boolean NOT NULL DEFAULT false,
    is_hidden boolean NOT NULL DEFAULT false,
    is_pinned boolean NOT NULL DEFAULT false,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_no, topic_id)
);

ALTER TABLE chats
    ADD COLUMN topics_read_at timestamptz,
    -- When Telegram last refused to show a lost chat; it is asked again some hours later.
    ADD COLUMN lost_checked_at timestamptz,
    ADD CHECK (migrated_to <> chat_no),
    ADD CHECK (state <> 'lost' OR state_reason IS NOT NULL);
CREATE INDEX chats_migrated_to ON chats (migrated_to) WHERE migrated_to IS NOT NULL;
