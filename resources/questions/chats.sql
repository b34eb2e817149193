-- What each chat holds
-- Per chat its messages, photos and videos, how many people they show, and whom most often.
WITH per_person AS (
    SELECT
        fct_appearance.chat_no,
        fct_appearance.identity_id,
        count(DISTINCT fct_appearance.content_key) AS contents
    FROM fct_appearance
    JOIN dim_identity USING (identity_id)
    WHERE NOT dim_identity.is_hidden
        AND ($since::DATE IS NULL OR fct_appearance.seen_at >= $since::DATE)
    GROUP BY ALL
),

people AS (
    SELECT chat_no, count(*) AS people, arg_max(identity_id, (contents, identity_id)) AS most_seen
    FROM per_person
    GROUP BY ALL
),

sent AS (
    SELECT
        chat_no,
        sum(messages)::BIGINT AS messages,
        sum(photos)::BIGINT AS photos,
        sum(videos)::BIGINT AS videos
    FROM chat_activity
    WHERE $since::DATE IS NULL OR month >= date_trunc('month', $since::DATE)
    GROUP BY ALL
)

SELECT
    dim_chat.chat_no,
    dim_chat.title AS chat,
    coalesce(sent.messages, 0) AS messages,
    coalesce(sent.photos, 0) AS photos,
    coalesce(sent.videos, 0) AS videos,
    coalesce(people.people, 0) AS people,
    dim_identity.label AS most_seen
FROM dim_chat
LEFT JOIN sent USING (chat_no)
LEFT JOIN people USING (chat_no)
LEFT JOIN dim_identity ON dim_identity.identity_id = people.most_seen
ORDER BY people DESC, messages DESC, dim_chat.chat_no
