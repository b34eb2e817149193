-- Longest streaks
-- Who was seen on the most days in a row.
SELECT
    identity_id,
    label AS person,
    longest_streak_days,
    active_days,
    first_seen_at::DATE AS first_seen,
    last_seen_at::DATE AS last_seen
FROM identity_stats
WHERE $person IS NULL OR identity_id = $person
ORDER BY longest_streak_days DESC, active_days DESC, identity_id
LIMIT $limit
