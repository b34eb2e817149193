with said as (
    select chat_no, min(sent_at) as first_message_at, max(sent_at) as last_message_at,
           count(*) as messages, count(distinct sender_id) as members_seen
    from {{ ref('int_live_messages') }} group by chat_no
)
select
    chats.chat_no::varchar as chat_no,
    chats.title,
    chats.kind,
    chats.allow_archive as archive_allowed,
    chats.allow_faces as faces_allowed,
    chats.allow_publish as publish_allowed,
    said.first_message_at,
    said.last_message_at,
    coalesce(said.messages, 0) as messages,
    coalesce(said.members_seen, 0) as members_seen
from {{ ref('stg_chats') }} as chats
left join said using (chat_no)
where chats.migrated_to is null
  and not chats.is_hub
  and (chats.added_at is not null or said.messages > 0)
