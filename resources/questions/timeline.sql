-- A person's timeline
-- Month by month (UTC), how often and in how many chats a person was seen, and on how many days.
SELECT
    strftime(date_trunc('month', seen_at), '%Y-%m') AS month,
    count(DISTINCT content_key) AS photos_and_videos,
    count(*) AS appearances,
    count(DISTINCT seen_at::DATE) AS days,
    count(DISTINCT chat_no) AS chats
FROM fct_appearance
WHERE identity_id = $person
    AND ($chat IS NULL OR chat_no = $chat)
    AND ($since::DATE IS NULL OR seen_at >= $since::DATE)
GROUP BY date_trunc('month', seen_at)
ORDER BY month
