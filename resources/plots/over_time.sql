-- The most seen people and all others together, by spans of time that leave some forty bars or
-- more: days, then weeks, then months.
WITH shown AS (
    SELECT
        fct_identity_day.identity_id,
        dim_identity.label,
        fct_identity_day.day,
        fct_identity_day.contents
    FROM fct_identity_day
    JOIN dim_identity USING (identity_id)
    WHERE NOT dim_identity.is_hidden
        AND ($since::DATE IS NULL OR fct_identity_day.day >= $since::DATE)
),

span AS (
    SELECT
        CASE
            WHEN date_diff('day', min(day), max(day)) > 730 THEN 'month'
            WHEN date_diff('day', min(day), max(day)) > 120 THEN 'week'
            ELSE 'day'
        END AS step
    FROM shown
),

most AS (
    SELECT identity_id, sum(contents) AS contents
    FROM shown
    GROUP BY ALL
    ORDER BY contents DESC, identity_id
    LIMIT $limit
)

SELECT
    span.step,
    most.identity_id,
    any_value(CASE WHEN most.identity_id IS NOT NULL THEN shown.label END) AS label,
    date_trunc(span.step, shown.day)::DATE AS starts,
    sum(shown.contents)::BIGINT AS contents
FROM shown
CROSS JOIN span
LEFT JOIN most USING (identity_id)
GROUP BY span.step, most.identity_id, most.contents, date_trunc(span.step, shown.day)
ORDER BY most.contents DESC NULLS LAST, most.identity_id, starts
