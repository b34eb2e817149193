-- How complete the archive is
-- Per chat how much of its history was read, what is missing, what failed, and how long live
-- updates have been waiting.
SELECT
    chat_no,
    title AS chat,
    windows_read || ' of ' || windows AS windows,
    round(100 * coverage, 1) AS percent_read,
    open_gaps,
    failures,
    lag_seconds,
    oldest_pending_at
FROM ingestion_health
WHERE $chat IS NULL OR chat_no = $chat
ORDER BY coverage, failures DESC, chat_no
