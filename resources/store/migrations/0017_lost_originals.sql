-- A voice message or a document has no small picture: its original alone is something to erase.

CREATE OR REPLACE VIEW lost_contents AS
-- A chat that erases has lost them, no chat shows them, and something was made of them. Ten
-- minutes, because until then the deletion may turn out to be one of a burst (archive.deletions),
-- and what was erased does not come back.
SELECT media.content_key
FROM (
    SELECT chat_no, media_id, deleted_at AS lost_at
    FROM messages JOIN message_media USING (chat_no, message_id)
    WHERE deleted_at IS NOT NULL
    UNION ALL
    SELECT chat_no, media_id, created_at FROM message_versions WHERE media_id IS NOT NULL
) AS lost
JOIN chats USING (chat_no)
JOIN media USING (media_id)
WHERE chats.on_deletion = 'erase' AND lost.lost_at < now() - interval '10 minutes'
  AND EXISTS (SELECT FROM media_products WHERE media_products.media_id = media.media_id)
  AND NOT EXISTS (
      SELECT FROM content_sources WHERE content_sources.content_key = media.content_key)
UNION
-- Or a chat that had faces lets nobody look for them any more, and neither does another that shows
-- them: what was made of their faces goes. Small pictures and originals go with the archive switch,
-- because a chat that is archived without faces has them too.
SELECT media.content_key
FROM chats
JOIN shown_media USING (chat_no)
JOIN media USING (media_id)
WHERE chats.faces_denied_at IS NOT NULL AND NOT chats.allow_faces
  AND (
      (EXISTS (SELECT FROM faces WHERE faces.content_key = media.content_key)
       OR EXISTS (
           SELECT FROM media_products
           WHERE media_products.media_id = media.media_id
             AND product IN ('faces', 'embeddings') AND state = 'done'))
      AND NOT EXISTS (
          SELECT FROM content_sources
          WHERE content_sources.content_key = media.content_key AND allow_faces)
      OR (EXISTS (
              SELECT FROM derived_pictures WHERE derived_pictures.content_key = media.content_key)
          OR EXISTS (SELECT FROM originals WHERE originals.content_key = media.content_key))
      AND NOT EXISTS (
          SELECT FROM content_sources
          WHERE content_sources.content_key = media.content_key AND allow_archive))
  AND media.content_key IS NOT NULL;
