-- Who there is to write to. Accounts will say more of them; here it is what a log-in told.
CREATE TABLE chat.person (
    user_id text PRIMARY KEY,
    name    text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX person_name ON chat.person (lower(name), user_id);

-- "Which of these are mine" is asked with every page, "who" now and then.
ALTER TABLE chat.reaction DROP CONSTRAINT reaction_pkey;
ALTER TABLE chat.reaction ADD PRIMARY KEY (conversation_id, seq, user_id, emoji);
CREATE INDEX reaction_who ON chat.reaction (conversation_id, seq, emoji, at, user_id);
