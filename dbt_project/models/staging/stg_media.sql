select * from {{ source('snapshots', 'media') }}
