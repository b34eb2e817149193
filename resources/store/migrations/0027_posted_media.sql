-- Which file of Telegram's a post showed when it was sent, so that another one in its place is seen.
-- Copied by reference or forwarded it is the file of the source; what was uploaded got a file of its
-- own, which the first look at the hub records. Posts that are there already are recorded likewise.

ALTER TABLE publications ADD COLUMN media_id text CHECK (media_id <> '');
