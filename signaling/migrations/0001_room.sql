-- Rooms: places where a call can happen. Who is in one is not stored; it is known by the process that holds the room.

CREATE TABLE signaling.room (
    id              text PRIMARY KEY,
    name            text NOT NULL DEFAULT '',
    conversation_id uuid NOT NULL, -- kept by the chat, which makes it again if it should be gone
    created_by      text,          -- id of the API key; NULL for a guest
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX room_newest ON signaling.room (created_at DESC);
