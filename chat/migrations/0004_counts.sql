-- What is unread, counted the same way wherever it is asked. Counts stop at 100, so that none reads a whole history.

-- Whether a message is there for somebody's eyes and not their own.
CREATE FUNCTION chat.from_others(me text, sight bigint, m chat.message) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT m.seq > sight AND m.sender_id <> me AND m.deleted_at IS NULL
        AND (m.expires_at IS NULL OR m.expires_at > now())
        AND NOT EXISTS (SELECT 1 FROM chat.hidden h
                        WHERE h.conversation_id = m.conversation_id AND h.user_id = me AND h.seq = m.seq)
        AND NOT EXISTS (SELECT 1 FROM chat.block b WHERE b.user_id = me AND b.blocked_id = m.sender_id)
$$;

-- Messages of the main line above `base`, the last number that counts as read.
CREATE FUNCTION chat.unread_count(me text, conversation uuid, sight bigint, base bigint) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT count(*)::integer FROM (
        SELECT 1 FROM chat.message m
        WHERE m.conversation_id = conversation AND m.no > base AND chat.from_others(me, sight, m)
        LIMIT 100
    ) counted
$$;

CREATE FUNCTION chat.mention_count(me text, conversation uuid, sight bigint, base bigint) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT count(*)::integer FROM (
        SELECT DISTINCT t.seq FROM chat.mention t
        JOIN chat.message m ON m.conversation_id = t.conversation_id AND m.seq = t.seq
        WHERE t.conversation_id = conversation AND t.user_id IN (me, '*') AND t.no > base
            AND chat.from_others(me, sight, m)
        LIMIT 100
    ) counted
$$;

CREATE FUNCTION chat.last_message(me text, conversation uuid, sight bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT m.seq FROM chat.message m
    WHERE m.conversation_id = conversation AND m.seq > sight AND m.thread_seq IS NULL AND m.kind = 'message'
        AND (m.expires_at IS NULL OR m.expires_at > now())
        AND NOT EXISTS (SELECT 1 FROM chat.hidden h
                        WHERE h.conversation_id = conversation AND h.user_id = me AND h.seq = m.seq)
    ORDER BY m.seq DESC LIMIT 1
$$;

-- The last number that counts as read.
CREATE FUNCTION chat.read_base(read_no bigint, unread_from bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT least(read_no, coalesce(unread_from - 1, read_no)) $$;
