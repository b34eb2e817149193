select
    identity_id,
    seen_at::date as day,
    count(distinct content_key) as contents,
    count(*) as appearances,
    count(distinct chat_no) as chats
from {{ ref('fct_appearance') }}
group by all
