-- Busiest months
-- Months (UTC) by their messages, with the photos and videos in them and the people they show.
WITH seen AS (
    SELECT
        date_trunc('month', fct_appearance.seen_at)::DATE AS month,
        count(DISTINCT fct_appearance.identity_id) AS people
    FROM fct_appearance
    JOIN dim_identity USING (identity_id)
    WHERE NOT dim_identity.is_hidden
        AND ($chat IS NULL OR fct_appearance.chat_no = $chat)
    GROUP BY 1
),

sent AS (
    SELECT
        date_trunc('month', chat_activity.month)::DATE AS month,
        sum(chat_activity.messages)::BIGINT AS messages,
        sum(chat_activity.photos)::BIGINT AS photos,
        sum(chat_activity.videos)::BIGINT AS videos
    FROM chat_activity
    WHERE $chat IS NULL OR chat_activity.chat_no = $chat
    GROUP BY 1
)

SELECT
    strftime(sent.month, '%Y-%m') AS month,
    sent.messages,
    sent.photos,
    sent.videos,
    coalesce(seen.people, 0) AS people
FROM sent
LEFT JOIN seen ON seen.month = sent.month
WHERE $since::DATE IS NULL OR sent.month >= date_trunc('month', $since::DATE)
ORDER BY sent.messages DESC, sent.month DESC
LIMIT $limit
