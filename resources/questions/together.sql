-- Who is seen with whom
-- Pairs of people in one picture or one album. Lift says how many times as often as chance would
-- have it, if neither knew the other: 1 is chance, 10 is a couple or a class.
SELECT
    identity_a,
    identity_b,
    label_a AS person,
    label_b AS with_whom,
    together,
    contents_together AS in_one_picture,
    albums_together AS in_one_album,
    round(lift, 1) AS lift
FROM co_appearance
WHERE $person IS NULL OR $person IN (identity_a, identity_b)
ORDER BY together DESC, co_appearance.lift DESC, identity_a, identity_b
LIMIT $limit
