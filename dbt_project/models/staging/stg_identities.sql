select * from {{ source('snapshots', 'identities') }}
