-- Calls that go on, each kept by the process that has it and good until it is said again: what a process that was killed
-- leaves here is ended by another, or by itself when it is back.
CREATE TABLE chat.call (
    conversation_id uuid        PRIMARY KEY,
    id              uuid        NOT NULL,
    node            text        NOT NULL,
    user_id         text        NOT NULL,
    name            text        NOT NULL,
    began_at        timestamptz NOT NULL,
    until           timestamptz NOT NULL
);
CREATE INDEX call_until ON chat.call (until);
