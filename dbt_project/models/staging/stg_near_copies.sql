select * from {{ source('snapshots', 'near_copies') }}
