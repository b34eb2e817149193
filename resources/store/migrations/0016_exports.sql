-- Exports and folders of pictures as sources: chats that nobody has to be logged in to read.

-- An account that an export names may never have logged in; number 0 stands for none at all.
ALTER TABLE accounts ADD COLUMN logged_in boolean NOT NULL DEFAULT true;

-- What is known of it came out of an export alone: an account that can read the chat still has to.
ALTER TABLE windows ADD COLUMN from_export boolean NOT NULL DEFAULT false;

CREATE TABLE exports (
    export_no integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    folder text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Where the file of a medium lies. Only media that are named by their message have a row.
CREATE TABLE exported_files (
    media_id text PRIMARY KEY REFERENCES media ON DELETE CASCADE CHECK (media_id ~ '^message:'),
    export_no integer NOT NULL REFERENCES exports,
    -- As the export writes it, so not to be trusted; empty where it says that it has no file.
    path text,
    created_at timestamptz NOT NULL DEFAULT now()
);
