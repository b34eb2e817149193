-- How a content was searched for faces and what was dropped: what `face-archive why` tells.
CREATE TABLE searches (
    content_key text NOT NULL REFERENCES blobs ON DELETE CASCADE,
    model text NOT NULL REFERENCES models,
    detector text NOT NULL,
    -- What the networks ran on: cpu, openvino-bf16, cuda …
    provider text,
    -- Reason → number of detections, over all frames.
    rejected jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (content_key, model)
);

-- The best of them one by one, without crop and vector: nobody is recognised by these.
CREATE TABLE rejected_faces (
    content_key text NOT NULL,
    model text NOT NULL,
    frame_seconds double precision NOT NULL CHECK (frame_seconds >= 0),
    x1 real NOT NULL,
    y1 real NOT NULL,
    x2 real NOT NULL,
    y2 real NOT NULL,
    detection_score real NOT NULL,
    quality real NOT NULL CHECK (quality BETWEEN 0 AND 1),
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (content_key, model) REFERENCES searches ON DELETE CASCADE
);
CREATE INDEX rejected_faces_search ON rejected_faces (content_key, model);
