-- Who is connected where, until when unless it is said again: a process that dies is forgotten by itself. Nothing here
-- needs to outlive the server, which empties the table when it crashes; the processes say it again.
CREATE UNLOGGED TABLE chat.presence (
    user_id text        NOT NULL,
    node    text        NOT NULL,
    until   timestamptz NOT NULL,
    PRIMARY KEY (user_id, node)
) WITH (fillfactor = 50);
CREATE INDEX presence_node ON chat.presence (node);

-- How people want to be seen. No row: online.
CREATE TABLE chat.status (
    user_id text PRIMARY KEY,
    status  text NOT NULL CHECK (status IN ('online', 'away', 'dnd', 'invisible')),
    text    text NOT NULL DEFAULT '',
    at      timestamptz NOT NULL DEFAULT now()
);
