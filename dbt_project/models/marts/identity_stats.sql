-- Of people who are not hidden.
with runs as (
    -- Days in a row keep the same distance to their number: an island of days.
    select identity_id, day,
           day - (row_number() over (partition by identity_id order by day))::integer as island
    from {{ ref('fct_identity_day') }}
), streaks as (
    select identity_id, island, count(*) as days from runs group by all
), active as (
    select identity_id, sum(days)::bigint as active_days, max(days) as longest_streak_days
    from streaks group by identity_id
), seen as (
    select
        identity_id,
        count(*) as appearances,
        count(distinct chat_no) as chats,
        count(*) filter (where seen_at > {{ as_of() }} - interval '30 days')
            - count(*) filter (
                where seen_at > {{ as_of() }} - interval '60 days'
                  and seen_at <= {{ as_of() }} - interval '30 days') as growth_30d
    from {{ ref('fct_appearance') }} group by identity_id
)
select
    people.identity_id,
    people.label,
    people.first_seen_at,
    people.last_seen_at,
    people.contents,
    coalesce(seen.appearances, 0) as appearances,
    coalesce(seen.chats, 0) as chats,
    coalesce(active.active_days, 0) as active_days,
    coalesce(active.longest_streak_days, 0) as longest_streak_days,
    coalesce(seen.growth_30d, 0) as growth_30d,
    ({{ as_of() }}::date - people.last_seen_at::date) as days_since_seen
from {{ ref('dim_identity') }} as people
left join seen using (identity_id)
left join active using (identity_id)
where not people.is_hidden
