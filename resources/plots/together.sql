-- The pairs most often seen together, with how often each of the two is seen at all.
SELECT
    co_appearance.identity_a,
    a.label AS label_a,
    a.contents AS contents_a,
    co_appearance.identity_b,
    b.label AS label_b,
    b.contents AS contents_b,
    co_appearance.together
FROM co_appearance
JOIN dim_identity AS a ON a.identity_id = co_appearance.identity_a
JOIN dim_identity AS b ON b.identity_id = co_appearance.identity_b
WHERE $person IS NULL OR $person IN (co_appearance.identity_a, co_appearance.identity_b)
ORDER BY co_appearance.together DESC, co_appearance.lift DESC, identity_a, identity_b
LIMIT $limit
