select * from {{ source('snapshots', 'suppressed_regions') }}
