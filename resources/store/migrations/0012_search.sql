-- Search has an index of half the size, over halfvec, made for a model once it has enough vectors
-- (resources.store.search_index). The ones made with each model until now go: nothing asked them.
DO $$
DECLARE
    old regclass;
BEGIN
    FOR old IN
        SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE indrelid = 'embeddings'::regclass AND relname LIKE 'embeddings\_hnsw\_%'
    LOOP
        EXECUTE format('DROP INDEX %s', old);
    END LOOP;
END $$;

-- The sources that a search may show: of one chat (a group that became a supergroup is one chat
-- with it), sent within a time; NULL leaves a bound out. The planner sees through it, as through
-- a view.
CREATE FUNCTION sources_within(only_chat_no bigint, since timestamptz, until timestamptz)
RETURNS TABLE (content_key text, chat_no bigint, message_id bigint, sent_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT content_key, chat_no, message_id, sent_at
    FROM content_sources
    WHERE allow_faces
      AND (only_chat_no IS NULL OR chat_no IN (
          SELECT chats.chat_no FROM chats WHERE only_chat_no IN (chats.chat_no, migrated_to)))
      AND (since IS NULL OR sent_at >= since)
      AND (until IS NULL OR sent_at < until)
$$;
