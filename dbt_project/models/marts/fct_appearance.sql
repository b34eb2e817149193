select
    people.identity_id,
    sources.content_key,
    sources.chat_no::varchar as chat_no,
    sources.message_id::varchar as message_id,
    min(sources.sent_at) as seen_at,
    min(sources.kind) as kind,
    min(people.faces) as faces,
    min(people.best_quality) as best_quality,
    min(sources.sender_id)::varchar as sender_id
from {{ ref('int_people_in_contents') }} as people
join {{ ref('int_sources') }} as sources using (content_key)
where sources.allow_faces
-- A message may carry one content twice.
group by people.identity_id, sources.content_key, sources.chat_no, sources.message_id
