-- Several hubs, by rule and by size; one pace for all who write to a hub; albums; crops.

DROP INDEX hubs_one_in_use;
ALTER TABLE hubs
    DROP CONSTRAINT hubs_state_check,
    ADD CONSTRAINT hubs_state_check CHECK (state IN ('ready', 'full', 'blocked')),
    -- Which chats go there: these, and those with one of these tags; all others where both are
    -- empty. Hubs of the same rule fill in the order in which they were added.
    ADD COLUMN chat_nos bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    -- As of an account: until when what was written is paid for, and until when to wait.
    ADD COLUMN spent_until timestamptz NOT NULL DEFAULT 'epoch',
    ADD COLUMN flood_until timestamptz,
    ADD COLUMN flood_method text;

ALTER TABLE chats ADD COLUMN tags text[] NOT NULL DEFAULT '{}';

ALTER TABLE publications
    DROP CONSTRAINT publications_method_check,
    ADD CONSTRAINT publications_method_check CHECK (
        method IN ('reference', 'forward', 'upload', 'crop')),
    -- Shared by what was sent with one request, which is repeated as one.
    ADD COLUMN album_id uuid;
