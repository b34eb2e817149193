with read as (
    select chats.lives_on_as as chat_no, count(*) as windows,
           count(*) filter (where windows.read_at is not null and not windows.dirty)
               as windows_read
    from {{ ref('stg_windows') }} as windows
    join {{ ref('stg_chats') }} as chats using (chat_no)
    group by all
), waiting as (
    select chats.lives_on_as as chat_no, min(updates.created_at) as oldest_pending_at,
           count(*) filter (where updates.change = 'gap') as open_gaps
    from {{ ref('stg_pending_updates') }} as updates
    join {{ ref('stg_chats') }} as chats using (chat_no)
    group by all
), failed as (
    select sources.chat_no, count(distinct failures.media_id) as failures
    from {{ ref('stg_failures') }} as failures
    join {{ ref('int_sources') }} as sources using (media_id)
    where failures.ignored_at is null
    group by all
)
select
    chats.chat_no,
    chats.title,
    coalesce(read.windows, 0) as windows,
    coalesce(read.windows_read, 0) as windows_read,
    read.windows_read / read.windows as coverage,
    coalesce(waiting.open_gaps, 0) as open_gaps,
    coalesce(failed.failures, 0) as failures,
    coalesce(greatest(epoch({{ as_of() }} - waiting.oldest_pending_at), 0), 0) as lag_seconds,
    waiting.oldest_pending_at
from {{ ref('dim_chat') }} as chats
left join read on read.chat_no::varchar = chats.chat_no
left join waiting on waiting.chat_no::varchar = chats.chat_no
left join failed on failed.chat_no::varchar = chats.chat_no
