select * from {{ source('snapshots', 'failures') }}
