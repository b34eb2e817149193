select
    *,
    -- A group that became a supergroup is one chat with it.
    coalesce(migrated_to, chat_no) as lives_on_as
from {{ source('snapshots', 'chats') }}
