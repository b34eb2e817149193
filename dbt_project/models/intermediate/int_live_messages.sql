{{ config(materialized='view', persist_docs={'relation': false, 'columns': false}) }}
-- A view, because a table of every message would be most of the file.
-- Messages that count: of chats that are no hub, without what Telegram itself wrote ("… joined"),
-- and without what was deleted, unless the chat keeps that.
select
    chats.lives_on_as as chat_no,
    messages.chat_no as own_chat_no,
    messages.message_id,
    messages.sent_at,
    messages.sender_id,
    messages.grouped_id,
    chats.allow_faces
from {{ ref('stg_messages') }} as messages
join {{ ref('stg_chats') }} as chats using (chat_no)
where messages.kind <> 'service'
  and not chats.is_hub
  and (messages.deleted_at is null or chats.on_deletion = 'keep')
