select * from {{ source('snapshots', 'assignments') }}
