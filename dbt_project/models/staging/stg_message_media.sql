select * from {{ source('snapshots', 'message_media') }}
