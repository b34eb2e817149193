-- Of people who are not hidden. Were two people to come and go independently of each other, they
-- would meet on (occasions of a × occasions of b ÷ all occasions that show anybody).
with present as (
    select people.identity_id, people.content_key, occasions.occasion, occasions.is_album
    from {{ ref('int_people_in_contents') }} as people
    join {{ ref('int_occasions') }} as occasions using (content_key)
    where not people.is_hidden
), at_occasions as (
    select distinct identity_id, occasion, is_album from present
), together as (
    select a.identity_id as identity_a, b.identity_id as identity_b, count(*) as together,
           count(*) filter (where a.is_album) as albums_together
    from at_occasions as a
    join at_occasions as b on b.occasion = a.occasion and a.identity_id < b.identity_id
    group by all
), in_one_picture as (
    select a.identity_id as identity_a, b.identity_id as identity_b, count(*) as contents_together
    from present as a
    join present as b on b.content_key = a.content_key and a.identity_id < b.identity_id
    group by all
), alone as (
    select identity_id, count(*) as occasions from at_occasions group by identity_id
), everything as (
    select count(distinct occasion) as occasions from at_occasions
), expected as (
    select
        together.*,
        a.occasions::double * b.occasions / everything.occasions as expected_together
    from together
    join alone as a on a.identity_id = together.identity_a
    join alone as b on b.identity_id = together.identity_b
    cross join everything
)
select
    expected.identity_a,
    expected.identity_b,
    people_a.label as label_a,
    people_b.label as label_b,
    coalesce(in_one_picture.contents_together, 0) as contents_together,
    expected.albums_together,
    expected.together,
    expected.expected_together,
    expected.together / expected.expected_together as lift
from expected
join {{ ref('dim_identity') }} as people_a on people_a.identity_id = expected.identity_a
join {{ ref('dim_identity') }} as people_b on people_b.identity_id = expected.identity_b
left join in_one_picture using (identity_a, identity_b)
