-- Conversations beyond rooms, everything that can happen to a message, and what each member keeps of a conversation.

ALTER TABLE chat.conversation DROP CONSTRAINT conversation_kind_check;
ALTER TABLE chat.conversation
    ADD CHECK (kind IN ('room', 'direct', 'group', 'public', 'private', 'announcement', 'self')),
    ADD COLUMN about        text NOT NULL DEFAULT '',
    ADD COLUMN retention_s  integer, -- messages disappear so long after they were sent; null: they are kept
    ADD COLUMN created_by   text,
    ADD COLUMN made_hash    bytea, -- of the request that made it: the same client id asking for something else shows
    ADD COLUMN member_count integer NOT NULL DEFAULT 0;
CREATE INDEX conversation_public ON chat.conversation (lower(title), id) WHERE kind IN ('public', 'announcement');

-- The folded view. A row of kind 'message' was written by somebody; the others say in the timeline what happened
-- (membership, settings, calls). Thread replies and such rows have no number: they do not count as unread.
ALTER TABLE chat.message
    ALTER COLUMN no DROP NOT NULL,
    ADD COLUMN kind          text NOT NULL DEFAULT 'message',
    ADD COLUMN revision      bigint, -- the event that made the body: the message's own, or its last edit's
    ADD COLUMN thread_seq    bigint,
    ADD COLUMN reactions     jsonb, -- {"👍": 3}; null is none
    ADD COLUMN reply_count   integer NOT NULL DEFAULT 0,
    ADD COLUMN last_reply_at timestamptz,
    ADD COLUMN pinned_at     timestamptz;
UPDATE chat.message SET revision = seq;
ALTER TABLE chat.message ALTER COLUMN revision SET NOT NULL;
CREATE INDEX message_timeline ON chat.message (conversation_id, seq) WHERE thread_seq IS NULL;
CREATE INDEX message_thread ON chat.message (conversation_id, thread_seq, seq) WHERE thread_seq IS NOT NULL;
CREATE INDEX message_pinned ON chat.message (conversation_id, pinned_at) WHERE pinned_at IS NOT NULL;
CREATE INDEX message_expiring ON chat.message (expires_at) WHERE expires_at IS NOT NULL AND body IS NOT NULL;

-- The number that a message got, so that events can be read without their messages.
ALTER TABLE chat.event ADD COLUMN no bigint;
UPDATE chat.event e SET no = m.no FROM chat.message m
    WHERE m.conversation_id = e.conversation_id AND m.seq = e.seq;

-- What was done to a message, for its edits and for forgetting them with it.
CREATE INDEX event_target ON chat.event (conversation_id, target_seq) WHERE target_seq IS NOT NULL;

-- Who belongs to a conversation, and where each stands. 'guest' is the holder of a room token: it keeps read marks and
-- lists nothing. A member who left keeps the row, with visible_to set.
CREATE TABLE chat.member (
    conversation_id uuid NOT NULL,
    user_id         text NOT NULL,
    name            text NOT NULL DEFAULT '',
    role            text NOT NULL CHECK (role IN ('owner', 'moderator', 'member', 'guest')),
    visible_from    bigint NOT NULL DEFAULT 0, -- events up to here are not for this member
    visible_to      bigint,
    joined_at       timestamptz NOT NULL DEFAULT now(),
    delivered_no    bigint NOT NULL DEFAULT 0,
    read_no         bigint NOT NULL DEFAULT 0,
    unread_from     bigint, -- "mark unread": counts as unread from this number on
    muted_until     timestamptz,
    archived        boolean NOT NULL DEFAULT false,
    pinned          boolean NOT NULL DEFAULT false,
    PRIMARY KEY (conversation_id, user_id)
) WITH (fillfactor = 80);
CREATE INDEX member_user ON chat.member (user_id, conversation_id) WHERE visible_to IS NULL AND role <> 'guest';

-- Whom a message names; '*' is everybody. A thread reply stands at the number of the newest message before it.
CREATE TABLE chat.mention (
    user_id         text NOT NULL,
    conversation_id uuid NOT NULL,
    no              bigint NOT NULL,
    seq             bigint NOT NULL,
    PRIMARY KEY (conversation_id, user_id, no, seq)
);

-- Deleted for one person only.
CREATE TABLE chat.hidden (
    user_id         text NOT NULL,
    conversation_id uuid NOT NULL,
    seq             bigint NOT NULL,
    PRIMARY KEY (conversation_id, user_id, seq)
);

CREATE TABLE chat.reaction (
    conversation_id uuid NOT NULL,
    seq             bigint NOT NULL,
    emoji           text NOT NULL,
    user_id         text NOT NULL,
    name            text NOT NULL DEFAULT '',
    at              timestamptz NOT NULL,
    PRIMARY KEY (conversation_id, seq, emoji, user_id)
);

-- Links by which people come in. Only a hash of what is in the link is kept.
CREATE TABLE chat.invite (
    token_hash      bytea PRIMARY KEY,
    conversation_id uuid NOT NULL,
    created_by      text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz NOT NULL,
    uses_left       integer NOT NULL
);
CREATE INDEX invite_conversation ON chat.invite (conversation_id);

-- What a person keeps on all devices.
CREATE TABLE chat.draft (
    user_id         text NOT NULL,
    conversation_id uuid NOT NULL,
    body            jsonb NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (user_id, conversation_id)
);
CREATE TABLE chat.preference (
    user_id text NOT NULL,
    name    text NOT NULL,
    value   text NOT NULL,
    PRIMARY KEY (user_id, name)
);
CREATE TABLE chat.block (
    user_id    text NOT NULL,
    blocked_id text NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, blocked_id)
);

-- The search text of messages, filled from the outbox. A row counts while its revision is the message's.
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;
CREATE TABLE chat.search_doc (
    conversation_id uuid NOT NULL,
    seq             bigint NOT NULL,
    revision        bigint NOT NULL,
    sender_id       text NOT NULL,
    at              timestamptz NOT NULL,
    has             text[] NOT NULL DEFAULT '{}',
    tsv             tsvector NOT NULL,
    PRIMARY KEY (conversation_id, seq)
);
CREATE INDEX search_doc_tsv ON chat.search_doc USING gin (conversation_id, tsv);
