-- Which chats an account is in, as its list of dialogs and updates since then say.

ALTER TABLE account_chats
    -- When the account was first found in it; empty for a chat that is only spoken of.
    ADD COLUMN discovered_at timestamptz,
    -- When it was last seen in it.
    ADD COLUMN listed_at timestamptz,
    ADD CHECK (num_nulls(discovered_at, listed_at) IN (0, 2));

-- The latest reading of an account's dialogs: where it goes on, written together with each page.
CREATE TABLE dialog_sweeps (
    account_id bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    -- When the one before it was over: what was discovered later is new. Empty for the first.
    new_since timestamptz,
    list text NOT NULL DEFAULT 'main' CHECK (list IN ('main', 'archive', 'moved')),
    -- The dialog behind which the next page begins; empty at a list's top.
    beyond_chat_no bigint REFERENCES chats ON DELETE SET NULL,
    beyond_sent_at timestamptz,
    beyond_message_id bigint
);

CREATE INDEX account_chats_listed ON account_chats (account_id) WHERE listed_at IS NOT NULL;
