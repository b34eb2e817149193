-- Topics follow every correction: what is in the hub can be changed and taken back, and each row
-- says how far that has come.

-- While something is edited it reads as it did, or as the row says now.
ALTER TABLE topics
    DROP CONSTRAINT topics_state_check,
    ADD CONSTRAINT topics_state_check CHECK (state IN (
        'planned', 'sending', 'sent', 'editing', 'removing', 'removed')),
    ADD COLUMN closed boolean NOT NULL DEFAULT false;

ALTER TABLE publications
    DROP CONSTRAINT publications_state_check,
    ADD CONSTRAINT publications_state_check CHECK (state IN (
        'planned', 'sending', 'sent', 'editing', 'removing', 'removed'));

-- A random id is drawn when it is sent and not before; what was only planned is planned anew.
DELETE FROM publications WHERE state = 'planned' AND refusal IS NULL;
DELETE FROM topics
WHERE state = 'planned' AND NOT EXISTS (
    SELECT FROM publications
    WHERE publications.hub_no = topics.hub_no
      AND publications.identity_id = topics.identity_id);

-- What a topic says of the person, pinned.
CREATE TABLE topic_summaries (
    hub_no bigint NOT NULL,
    identity_id uuid NOT NULL,
    random_id bigint NOT NULL UNIQUE CHECK (random_id <> 0),
    state text NOT NULL CHECK (state IN ('sending', 'sent', 'editing')),
    text text NOT NULL,
    message_id bigint CHECK (message_id > 0),
    pinned boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (hub_no, identity_id),
    FOREIGN KEY (hub_no, identity_id) REFERENCES topics ON DELETE CASCADE,
    CHECK ((message_id IS NULL) = (state = 'sending'))
);
