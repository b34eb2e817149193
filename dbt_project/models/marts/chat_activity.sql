with said as (
    select chat_no, date_trunc('month', sent_at)::date as month,
           count(*) as messages, count(distinct sender_id) as senders
    from {{ ref('int_live_messages') }} group by all
), shown as (
    select chat_no, date_trunc('month', sent_at)::date as month,
           count(*) as media,
           count(*) filter (where kind in ('photo', 'image_document')) as photos,
           count(*) filter (where kind in ('video', 'round_video', 'gif')) as videos
    from {{ ref('int_sources') }} group by all
), seen as (
    select chat_no, date_trunc('month', seen_at)::date as month,
           count(distinct identity_id) as people
    from {{ ref('fct_appearance') }} group by all
)
select
    chats.chat_no,
    chats.title,
    said.month,
    said.messages,
    coalesce(shown.media, 0) as media,
    coalesce(shown.photos, 0) as photos,
    coalesce(shown.videos, 0) as videos,
    said.senders,
    coalesce(seen.people, 0) as people
from said
join {{ ref('dim_chat') }} as chats on chats.chat_no = said.chat_no::varchar
left join shown on shown.chat_no = said.chat_no and shown.month = said.month
left join seen on seen.chat_no = chats.chat_no and seen.month = said.month
