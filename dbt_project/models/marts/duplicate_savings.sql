-- Every content is looked at and kept once, however often it was sent.
with contents as (
    select content_key, min(kind) as kind, count(*) - 1 as copies
    from {{ ref('int_sources') }} where content_key is not null group by content_key
), alike as (
    select contents.kind, count(*) as near_copies
    from {{ ref('stg_near_copies') }} as pairs
    join contents on contents.content_key = pairs.first_key
    join contents as others on others.content_key = pairs.second_key
    group by all
), sizes as (
    select contents.kind, count(*) as contents, sum(contents.copies)::bigint as copies,
           sum(contents.copies * blobs.size_bytes)::bigint as bytes_saved
    from contents join {{ ref('stg_blobs') }} as blobs using (content_key)
    group by all
)
select kind, contents, copies, bytes_saved, coalesce(near_copies, 0) as near_copies
from sizes left join alike using (kind)
