-- Who appears most
-- People by the photos and videos that show them; a photo sent to several chats counts once, and
-- each sending is an appearance.
SELECT
    fct_appearance.identity_id,
    any_value(dim_identity.label) AS person,
    count(DISTINCT fct_appearance.content_key) AS photos_and_videos,
    count(*) AS appearances,
    count(DISTINCT fct_appearance.chat_no) AS chats,
    min(fct_appearance.seen_at)::DATE AS first_seen,
    max(fct_appearance.seen_at)::DATE AS last_seen
FROM fct_appearance
JOIN dim_identity USING (identity_id)
WHERE NOT dim_identity.is_hidden
    AND ($chat IS NULL OR fct_appearance.chat_no = $chat)
    AND ($since::DATE IS NULL OR fct_appearance.seen_at >= $since::DATE)
GROUP BY fct_appearance.identity_id
ORDER BY photos_and_videos DESC, appearances DESC, identity_id
LIMIT $limit
