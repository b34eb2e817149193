-- Nobody appears in a chat whose owner did not allow faces.
{{ config(meta={'dagster': {'ref': {'name': 'fct_appearance'}}}) }}
select appearances.*
from {{ ref('fct_appearance') }} as appearances
left join {{ ref('dim_chat') }} as chats using (chat_no)
where not coalesce(chats.faces_allowed, false)
