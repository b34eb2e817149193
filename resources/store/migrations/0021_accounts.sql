-- Accounts that rest: no lane connects, nothing is asked for in their name, nothing of theirs is late.

-- One that was removed keeps its row: what it read belongs to it.
ALTER TABLE accounts DROP CONSTRAINT accounts_state_check;
ALTER TABLE accounts ADD CONSTRAINT accounts_state_check
    CHECK (state IN ('active', 'paused', 'error', 'removed'));

-- When a lane of it last connected.
ALTER TABLE accounts ADD COLUMN last_active_at timestamptz;

-- Whether the account is in the chat, as Telegram last said; empty where it has not said yet.
-- Who is inside can read the chat instead of the account that does.
ALTER TABLE account_chats ADD COLUMN is_inside boolean;

CREATE OR REPLACE VIEW unanswered_updates AS
SELECT inbox.inbox_id, inbox.chat_no, inbox.message_id, inbox.change, inbox.created_at,
       chats.account_id, windows.first_id, windows.last_id
FROM inbox
JOIN chats USING (chat_no)
JOIN accounts USING (account_id)
LEFT JOIN windows
    ON windows.chat_no = inbox.chat_no
    AND inbox.message_id BETWEEN windows.first_id AND windows.last_id
WHERE inbox.applied_at IS NULL AND chats.allow_archive AND chats.state = 'active'
  AND accounts.state = 'active'
  AND chats.window_width IS NOT NULL
  AND (inbox.change = 'new' OR inbox.change = 'edited' AND windows.first_id IS NULL
       OR windows.read_at IS NOT NULL OR windows.cursor_id IS NOT NULL);
