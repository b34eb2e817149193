select * from {{ source('snapshots', 'unanswered_updates') }}
