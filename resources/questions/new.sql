-- Who is new
-- People first seen on a day or later (unless you name one, in the last thirty days).
SELECT
    identity_id,
    label AS person,
    first_seen_at::DATE AS first_seen,
    contents AS photos_and_videos,
    chats,
    active_days
FROM identity_stats
WHERE first_seen_at >= coalesce($since::DATE, $today::DATE - 30)
ORDER BY photos_and_videos DESC, first_seen DESC, identity_id
LIMIT $limit
