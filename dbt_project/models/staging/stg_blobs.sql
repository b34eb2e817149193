select * from {{ source('snapshots', 'blobs') }}
