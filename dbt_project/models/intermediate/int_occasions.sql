-- The occasion on which a content was shown: its album, else the content alone. A content that was
-- sent again, alone or in another album, stays with its first album.
select
    content_key,
    coalesce(
        arg_min(
            chat_no::varchar || ':' || grouped_id::varchar,
            (sent_at, chat_no, message_id)
        ) filter (where grouped_id is not null),
        content_key
    ) as occasion,
    bool_or(grouped_id is not null) as is_album
from {{ ref('int_sources') }}
where content_key is not null and allow_faces
group by content_key
