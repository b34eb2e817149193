-- Live updates: where each account's updates stand, which chats are listened to, and which
-- updates still ask for a reading.

-- Written in the transaction that stores what was heard, so it never runs ahead of the inbox.
CREATE TABLE update_state (
    account_id bigint PRIMARY KEY REFERENCES accounts,
    -- Telegram's names; empty until the listener first heard where the account stands.
    pts bigint,
    qts bigint,
    seq bigint,
    state_date timestamptz,
    -- When the listener last said that it is alive.
    heartbeat_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nulls(pts, qts, seq, state_date) IN (0, 4))
);

-- Chats whose updates have been heard without a break since the row was made.
CREATE TABLE heard_chats (
    account_id bigint NOT NULL REFERENCES accounts,
    chat_no bigint NOT NULL REFERENCES chats ON DELETE CASCADE,
    -- Of a channel or supergroup; other chats have no sequence of their own.
    pts bigint CHECK (pts > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, chat_no)
);

ALTER TABLE inbox DROP CONSTRAINT inbox_change_check;
ALTER TABLE inbox ADD CONSTRAINT inbox_change_check
    CHECK (change IN ('new', 'edited', 'deleted', 'reactions', 'gap'));

-- In a window that nobody began to read the first reading brings everything as it is then: only
-- what is new asks for it. Should that reading be under way already, its end makes the rest visible.
CREATE VIEW unanswered_updates AS
SELECT inbox.inbox_id, inbox.chat_no, inbox.message_id, inbox.change, inbox.created_at,
       chats.account_id, windows.first_id, windows.last_id
FROM inbox
JOIN chats USING (chat_no)
LEFT JOIN windows
    ON windows.chat_no = inbox.chat_no
    AND inbox.message_id BETWEEN windows.first_id AND windows.last_id
WHERE inbox.applied_at IS NULL AND chats.allow_archive AND chats.state = 'active'
  AND chats.window_width IS NOT NULL
  AND (inbox.change = 'new' OR inbox.change = 'edited' AND windows.first_id IS NULL
       OR windows.read_at IS NOT NULL OR windows.cursor_id IS NOT NULL);
