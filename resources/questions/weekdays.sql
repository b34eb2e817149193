-- Busiest days of the week, and their hours
-- On which day (UTC) people are shown how often, its share, and its busiest hour.
WITH hours AS (
    SELECT
        isodow(fct_appearance.seen_at) AS day_number,
        dayname(fct_appearance.seen_at) AS weekday,
        hour(fct_appearance.seen_at) AS hour,
        count(*) AS appearances
    FROM fct_appearance
    JOIN dim_identity USING (identity_id)
    WHERE NOT dim_identity.is_hidden
        AND ($chat IS NULL OR fct_appearance.chat_no = $chat)
        AND ($person IS NULL OR fct_appearance.identity_id = $person)
        AND ($since::DATE IS NULL OR fct_appearance.seen_at >= $since::DATE)
    GROUP BY ALL
)

SELECT
    any_value(weekday) AS weekday,
    sum(appearances)::BIGINT AS appearances,
    round(100 * sum(appearances) / sum(sum(appearances)) OVER (), 1) AS percent,
    -- Of two hours alike the earlier one.
    format('{:02d}:00', arg_max(hour, appearances * 24 - hour)) AS busiest_hour,
    max(appearances) AS appearances_in_it
FROM hours
GROUP BY day_number
ORDER BY day_number
