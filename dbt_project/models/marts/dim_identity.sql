with contents as (
    select identity_id, content_key, min(seen_at) as first_seen_at, max(seen_at) as last_seen_at,
           min(faces) as faces
    from {{ ref('fct_appearance') }} group by identity_id, content_key
), seen as (
    select identity_id, min(first_seen_at) as first_seen_at, max(last_seen_at) as last_seen_at,
           sum(faces)::bigint as faces, count(*) as contents
    from contents group by identity_id
)
select
    identities.identity_id,
    coalesce(identities.label, 'Person ' || identities.number) as label,
    identities.label is not null as is_named,
    identities.state = 'hidden' as is_hidden,
    seen.first_seen_at,
    seen.last_seen_at,
    coalesce(seen.faces, 0) as faces,
    coalesce(seen.contents, 0) as contents
from {{ ref('stg_identities') }} as identities
left join seen using (identity_id)
where identities.state in ('visible', 'hidden')
