-- The conversation log. Every change of a conversation is an event with a gapless seq, given under the lock of its head.

CREATE SCHEMA IF NOT EXISTS chat;

-- What a conversation is. One of kind 'room' belongs to the room it names, and lives as long.
CREATE TABLE chat.conversation (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind              text NOT NULL CHECK (kind IN ('room')),
    room_id           text UNIQUE,
    title             text NOT NULL DEFAULT '',
    history_from_join boolean NOT NULL DEFAULT false,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'room') = (room_id IS NOT NULL))
);

-- The only hot row of a conversation: narrow, on pages with room for its next versions (heap-only updates).
CREATE TABLE chat.head (
    conversation_id uuid PRIMARY KEY REFERENCES chat.conversation ON DELETE CASCADE,
    last_seq        bigint NOT NULL DEFAULT 0,
    last_no         bigint NOT NULL DEFAULT 0,
    floor_seq       bigint NOT NULL DEFAULT 0 -- events up to here are purged
) WITH (fillfactor = 50);

-- No foreign keys below: they would lock the conversation's row at every insert, and head is locked already.
CREATE TABLE chat.event (
    conversation_id uuid NOT NULL,
    seq             bigint NOT NULL,
    id              uuid NOT NULL, -- random: its first 8 hex digits are the tag by which a restored backup is noticed
    kind            text NOT NULL,
    target_seq      bigint,
    sender_id       text,
    sender_name     text,
    client_id       uuid,
    body            jsonb,
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz,
    PRIMARY KEY (conversation_id, seq)
) PARTITION BY HASH (conversation_id);

CREATE TABLE chat.event_0 PARTITION OF chat.event FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE chat.event_1 PARTITION OF chat.event FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE chat.event_2 PARTITION OF chat.event FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE chat.event_3 PARTITION OF chat.event FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- What was sent, by the sender's own id: a retry finds its event here, also after the event is purged.
CREATE TABLE chat.sent (
    conversation_id uuid NOT NULL,
    sender_id       text NOT NULL,
    client_id       uuid NOT NULL,
    seq             bigint NOT NULL,
    body_hash       bytea NOT NULL,
    at              timestamptz NOT NULL,
    PRIMARY KEY (conversation_id, sender_id, client_id)
);

-- The folded view: messages as they are now. version is the seq of the last event that changed the row, no counts
-- the conversation's messages (reactions and the like have a seq but no number).
CREATE TABLE chat.message (
    conversation_id uuid NOT NULL,
    seq             bigint NOT NULL,
    no              bigint NOT NULL,
    version         bigint NOT NULL,
    sender_id       text NOT NULL,
    body            jsonb,
    edited_at       timestamptz,
    deleted_at      timestamptz,
    expires_at      timestamptz,
    PRIMARY KEY (conversation_id, seq)
);
CREATE UNIQUE INDEX message_no ON chat.message (conversation_id, no);

-- What was committed and may not have been told yet. Readers take rows below the oldest running transaction
-- (xid < pg_snapshot_xmin): reading by id would skip one that commits late.
CREATE TABLE chat.outbox (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid             xid8 NOT NULL DEFAULT pg_current_xact_id(),
    conversation_id uuid NOT NULL,
    seq_lo          bigint NOT NULL,
    seq_hi          bigint NOT NULL
);
CREATE INDEX outbox_xid ON chat.outbox (xid);

-- How far each reader of the outbox has come; rows all of them have read are deleted.
CREATE TABLE chat.outbox_reader (
    name text PRIMARY KEY,
    upto xid8 NOT NULL
);
