select * from {{ source('snapshots', 'faces') }}
