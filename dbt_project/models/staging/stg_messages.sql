select * from {{ source('snapshots', 'messages') }}
