select * from {{ source('snapshots', 'windows') }}
