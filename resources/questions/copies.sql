-- How much space copies save
-- Per kind of file, how often the same content was sent again and kept once, the bytes that
-- saved, and how many contents are near copies of another.
SELECT
    kind,
    contents,
    copies,
    round(bytes_saved / 1e6, 1) AS megabytes_saved,
    near_copies
FROM duplicate_savings
ORDER BY bytes_saved DESC, kind
