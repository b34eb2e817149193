-- How many photos and videos show people, or one person, on each day (UTC).
SELECT fct_appearance.seen_at::DATE AS day, count(DISTINCT fct_appearance.content_key) AS contents
FROM fct_appearance
JOIN dim_identity USING (identity_id)
WHERE NOT dim_identity.is_hidden
    AND ($person IS NULL OR fct_appearance.identity_id = $person)
    AND ($since::DATE IS NULL OR fct_appearance.seen_at >= $since::DATE)
GROUP BY ALL
ORDER BY day
