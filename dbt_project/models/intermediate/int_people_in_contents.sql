-- Who is in which content: people who were not merged into others, erased or taken back, by faces
-- that nobody called something else.
select
    assignments.identity_id,
    faces.content_key,
    identities.state = 'hidden' as is_hidden,
    count(*) as faces,
    max(faces.quality) as best_quality
from {{ ref('stg_assignments') }} as assignments
join {{ ref('stg_faces') }} as faces using (face_id)
join {{ ref('stg_identities') }} as identities using (identity_id)
where identities.state in ('visible', 'hidden')
  and faces.face_id not in (select face_id from {{ ref('stg_suppressed_faces') }})
group by all
