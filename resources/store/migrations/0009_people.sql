-- The log of people becomes the truth about them: each row writes one register, the tables are
-- the last write of each, and a decision of many rows can be taken back.

DROP TRIGGER identity_events_append_only ON identity_events;

ALTER TABLE identity_events
    DROP CONSTRAINT identity_events_kind_check,
    ADD COLUMN decision_id uuid,
    ADD COLUMN register text,
    -- Of a face: who put it there. Of a state: its name, or nothing where the beginning was undone.
    -- Of a link: its kind. Of a suppression: yes or no. A name is in the payload.
    ADD COLUMN value text,
    ADD COLUMN other_face_id uuid,
    -- The decision that this one takes back.
    ADD COLUMN undoes uuid,
    ALTER COLUMN identity_id DROP NOT NULL;

-- What was written until now, in one transaction for one cause: of the matcher one decision an
-- identity, of a deletion one.
UPDATE identity_events SET decision_id = told.decision_id
FROM (
    SELECT gen_random_uuid() AS decision_id, created_at, actor, cause, subject
    FROM (
        SELECT DISTINCT created_at, actor, cause,
               CASE WHEN kind <> 'unassigned' THEN identity_id END AS subject
        FROM identity_events
    ) AS acts
) AS told
WHERE (identity_events.created_at, identity_events.actor) = (told.created_at, told.actor)
  AND identity_events.cause IS NOT DISTINCT FROM told.cause
  AND told.subject IS NOT DISTINCT FROM
      CASE WHEN identity_events.kind <> 'unassigned' THEN identity_events.identity_id END;

UPDATE identity_events SET register = 'state', value = 'visible' WHERE kind = 'found';
UPDATE identity_events SET register = 'face', value = 'matcher' WHERE kind = 'assigned';
UPDATE identity_events
SET kind = 'erased', register = 'face', other_identity_id = identity_id, identity_id = NULL
WHERE kind = 'unassigned';

ALTER TABLE identity_events
    ALTER COLUMN decision_id SET NOT NULL,
    ALTER COLUMN register SET NOT NULL,
    ADD CHECK (kind IN (
        'found', 'assigned', 'merged', 'split', 'moved', 'rejected', 'confirmed', 'renamed',
        'hidden', 'shown', 'cover_chosen', 'not_a_face', 'face_drawn', 'erased', 'undone')),
    ADD CHECK ((kind = 'undone') = (undoes IS NOT NULL)),
    ADD CONSTRAINT identity_events_register CHECK (CASE register
        WHEN 'face' THEN face_id IS NOT NULL
            AND num_nulls(identity_id, value, similarity) IN (0, 3)
            AND (value IS NULL OR value IN ('matcher', 'person'))
        WHEN 'label' THEN identity_id IS NOT NULL AND value IS NULL
        WHEN 'state' THEN identity_id IS NOT NULL
            AND (value IS NULL OR value IN ('visible', 'hidden', 'merged', 'erased'))
            AND (value IS NOT DISTINCT FROM 'merged') = (other_identity_id IS NOT NULL)
        WHEN 'cover' THEN identity_id IS NOT NULL AND value IS NULL
        WHEN 'suppressed' THEN face_id IS NOT NULL AND value IN ('yes', 'no')
        WHEN 'link' THEN face_id < other_face_id
            AND (value IS NULL OR value IN ('must', 'cannot'))
        ELSE false
    END);

CREATE TRIGGER identity_events_append_only
    BEFORE UPDATE OF event_id, decision_id, kind, register, identity_id, other_identity_id,
        face_id, other_face_id, value, similarity, actor, cause, undoes, created_at OR DELETE
    ON identity_events FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_history();

CREATE INDEX identity_events_decision ON identity_events (decision_id);
CREATE INDEX identity_events_undoing ON identity_events (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX identity_events_other_identity ON identity_events (other_identity_id)
    WHERE other_identity_id IS NOT NULL;
CREATE INDEX identity_events_other_face ON identity_events (other_face_id)
    WHERE other_face_id IS NOT NULL;
-- The last write of a register is one step into its index.
CREATE INDEX identity_events_face ON identity_events (face_id, register, event_id)
    WHERE face_id IS NOT NULL;
CREATE INDEX identity_events_link ON identity_events (face_id, other_face_id, event_id)
    WHERE register = 'link';
CREATE INDEX identity_events_of_identity ON identity_events (identity_id, register, event_id)
    WHERE register IN ('label', 'state', 'cover');

-- Withdrawn: the beginning was undone; the row stays because its number is spent.
ALTER TABLE identities
    DROP CONSTRAINT identities_state_check,
    ADD CONSTRAINT identities_state_check
        CHECK (state IN ('visible', 'hidden', 'merged', 'erased', 'withdrawn')),
    ADD COLUMN cover_face_id uuid REFERENCES faces ON DELETE SET NULL;
CREATE INDEX identities_cover ON identities (cover_face_id) WHERE cover_face_id IS NOT NULL;

-- What persons said of two faces.
CREATE TABLE constraints (
    face_id uuid NOT NULL REFERENCES faces ON DELETE CASCADE,
    other_face_id uuid NOT NULL REFERENCES faces ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('must', 'cannot')),
    decision_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (face_id, other_face_id),
    CHECK (face_id < other_face_id)
);
CREATE INDEX constraints_other ON constraints (other_face_id);

-- Places that a person said show no face. They outlive the face: should the content be searched
-- again, what is found there is left out.
CREATE TABLE suppressed_regions (
    face_id uuid PRIMARY KEY,
    content_key text NOT NULL REFERENCES blobs ON DELETE CASCADE,
    frame_seconds double precision NOT NULL CHECK (frame_seconds >= 0),
    x1 real NOT NULL,
    y1 real NOT NULL,
    x2 real NOT NULL,
    y2 real NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (x2 > x1 AND y2 > y1)
);
CREATE INDEX suppressed_regions_content ON suppressed_regions (content_key);

-- What the log comes to (archive.identity.projection). Erased faces are skipped; a name whose
-- payload was deleted is none.
CREATE VIEW replayed_faces AS
SELECT face_id, identity_id, similarity, value AS decided_by
FROM (
    SELECT DISTINCT ON (face_id) face_id, identity_id, similarity, value
    FROM identity_events WHERE register = 'face' ORDER BY face_id, event_id DESC
) AS last
JOIN faces USING (face_id)
WHERE identity_id IS NOT NULL;

CREATE VIEW replayed_identities AS
SELECT last.identity_id, begun.number, begun.model, named.label,
       coalesce(last.value, 'withdrawn') AS state, last.other_identity_id AS merged_into,
       chosen.face_id AS cover_face_id
FROM (
    SELECT DISTINCT ON (identity_id) identity_id, value, other_identity_id
    FROM identity_events WHERE register = 'state' ORDER BY identity_id, event_id DESC
) AS last
LEFT JOIN LATERAL (
    SELECT (payload ->> 'number')::integer AS number, payload ->> 'model' AS model
    FROM identity_events JOIN event_payloads USING (payload_id)
    WHERE register = 'state' AND identity_id = last.identity_id
    ORDER BY event_id LIMIT 1
) AS begun ON true
LEFT JOIN LATERAL (
    SELECT payload ->> 'label' AS label
    FROM identity_events LEFT JOIN event_payloads USING (payload_id)
    WHERE register = 'label' AND identity_id = last.identity_id
    ORDER BY event_id DESC LIMIT 1
) AS named ON true
LEFT JOIN LATERAL (
    SELECT faces.face_id
    FROM identity_events LEFT JOIN faces USING (face_id)
    WHERE register = 'cover' AND identity_id = last.identity_id
    ORDER BY event_id DESC LIMIT 1
) AS chosen ON true;

CREATE VIEW replayed_suppressions AS
SELECT face_id, content_key, frame_seconds, x1, y1, x2, y2
FROM (
    SELECT DISTINCT ON (face_id) face_id, value
    FROM identity_events WHERE register = 'suppressed' ORDER BY face_id, event_id DESC
) AS last
JOIN faces USING (face_id)
WHERE value = 'yes';

CREATE VIEW replayed_links AS
SELECT last.face_id, last.other_face_id, last.value AS kind, last.decision_id
FROM (
    SELECT DISTINCT ON (face_id, other_face_id) face_id, other_face_id, value, decision_id
    FROM identity_events WHERE register = 'link' ORDER BY face_id, other_face_id, event_id DESC
) AS last
JOIN faces USING (face_id)
JOIN faces AS other ON other.face_id = last.other_face_id
WHERE last.value IS NOT NULL;
