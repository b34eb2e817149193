-- One row for each medium of each message that counts: where a content can be seen.
select
    live.chat_no,
    live.message_id,
    live.sent_at,
    live.sender_id,
    live.allow_faces,
    live.grouped_id,
    media.media_id,
    media.kind,
    media.content_key
from {{ ref('int_live_messages') }} as live
join {{ ref('stg_message_media') }} as links
    on links.chat_no = live.own_chat_no and links.message_id = live.message_id
join {{ ref('stg_media') }} as media using (media_id)
