-- Who disappeared
-- People seen on three days or more, but not since a day (unless you name one, half a year ago).
SELECT
    identity_id,
    label AS person,
    last_seen_at::DATE AS last_seen,
    date_diff('day', last_seen_at::DATE, $today::DATE) AS days_ago,
    contents AS photos_and_videos,
    active_days
FROM identity_stats
WHERE active_days >= 3
    AND last_seen_at < coalesce($since::DATE, $today::DATE - 180)
ORDER BY photos_and_videos DESC, last_seen DESC, identity_id
LIMIT $limit
