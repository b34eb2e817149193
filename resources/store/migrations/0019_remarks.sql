-- What is said in hubs and means something: topics renamed in the app, and commands in topics.
-- Nothing else that happens in a hub is kept.

CREATE TABLE hub_remarks (
    remark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hub_no bigint NOT NULL,
    identity_id uuid NOT NULL,
    topic_id bigint NOT NULL CHECK (topic_id > 1),
    message_id bigint NOT NULL CHECK (message_id > 0),
    -- The hub's own id for an admin who hides their name.
    sender_id bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('title', 'command')),
    -- Forgotten once something came of it; the row stays, so that nothing is done twice.
    text text,
    reply_to_id bigint,
    sent_at timestamptz NOT NULL,
    settled_at timestamptz,
    fate text CHECK (fate IN ('decided', 'nothing', 'refused', 'echo', 'stranger')),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (hub_no, message_id),
    FOREIGN KEY (hub_no, identity_id) REFERENCES topics ON DELETE CASCADE,
    CHECK (num_nulls(text, settled_at) = 1),
    CHECK ((settled_at IS NULL) = (fate IS NULL))
);
CREATE INDEX hub_remarks_waiting ON hub_remarks (remark_id) WHERE settled_at IS NULL;

-- What cannot be done is answered in the topic. Drawn with the answer, the random id makes one
-- message of it however often it is sent.
CREATE TABLE hub_answers (
    remark_id bigint PRIMARY KEY REFERENCES hub_remarks ON DELETE CASCADE,
    random_id bigint NOT NULL UNIQUE CHECK (random_id <> 0),
    -- Forgotten once it was sent.
    text text,
    message_id bigint CHECK (message_id > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nulls(text, message_id) = 1)
);
CREATE INDEX hub_answers_unsent ON hub_answers (remark_id) WHERE message_id IS NULL;

-- Who has a say in a hub, as Telegram answered last.
CREATE TABLE hub_admins (
    hub_no bigint PRIMARY KEY REFERENCES hubs ON DELETE CASCADE,
    user_ids bigint[] NOT NULL,
    read_at timestamptz NOT NULL DEFAULT now()
);

-- Titles that we are about to give. Each comes back to us once, as a message of the topic, and is
-- known by it; of the title no more is kept than it takes for that.
CREATE TABLE given_titles (
    given_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hub_no bigint NOT NULL,
    identity_id uuid NOT NULL,
    digest bytea NOT NULL,
    heard_as bigint CHECK (heard_as > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (hub_no, identity_id) REFERENCES topics ON DELETE CASCADE
);
CREATE INDEX given_titles_topic ON given_titles (hub_no, identity_id) WHERE heard_as IS NULL;

-- The message that last told of a topic's title, whoever gave it.
ALTER TABLE topics ADD COLUMN title_message_id bigint NOT NULL DEFAULT 0;

-- Whoever publishes has a say. Of others the admins are asked for after they spoke, or were asked
-- for shortly before; whoever speaks as a message of ours that is still on its way waits for it.
CREATE VIEW waiting_remarks AS
SELECT hub_remarks.*, hubs.chat_no, chats.account_id, hub_admins.read_at AS admins_read_at,
       hub_remarks.sender_id = chats.account_id AS is_own,
       CASE
           WHEN hub_remarks.sender_id = chats.account_id THEN
               CASE WHEN hub_remarks.kind = 'title' OR NOT EXISTS (
                   SELECT FROM topic_summaries
                   WHERE topic_summaries.hub_no = hub_remarks.hub_no
                     AND topic_summaries.identity_id = hub_remarks.identity_id
                     AND topic_summaries.state = 'sending')
               THEN true END
           WHEN hub_remarks.sender_id = ANY(hub_admins.user_ids)
               AND hub_admins.read_at > hub_remarks.created_at - interval '10 minutes' THEN true
           WHEN hub_admins.read_at > hub_remarks.created_at THEN false
       END AS may
FROM hub_remarks
JOIN hubs USING (hub_no)
JOIN chats USING (chat_no)
LEFT JOIN hub_admins USING (hub_no)
WHERE hub_remarks.settled_at IS NULL;
