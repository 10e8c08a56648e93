-- Who people are, how they prove it, and what they have open.

CREATE SCHEMA IF NOT EXISTS accounts;

CREATE TABLE accounts.account (
    id            text PRIMARY KEY,     -- also the identity in conversations and rooms; made by us, never reused
    email         text NOT NULL,        -- as it was written
    email_key     text NOT NULL UNIQUE, -- folded: what an address is found by
    name          text NOT NULL,
    status_text   text NOT NULL DEFAULT '',
    role          text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    state         text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'banned')),
    password      text,                 -- argon2id with its parameters (PHC string); null: none, by other means only
    generation    integer NOT NULL DEFAULT 0, -- raised when what older tokens say is no longer so
    generation_at timestamptz NOT NULL DEFAULT now(),
    totp_secret   bytea,                -- encrypted; counts once totp_on
    totp_on       boolean NOT NULL DEFAULT false,
    totp_step     bigint NOT NULL DEFAULT 0, -- the newest time step that was used: none is good twice
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX account_generation ON accounts.account (generation_at) WHERE generation > 0;
CREATE INDEX account_list ON accounts.account (created_at, id);

-- One log-in on one device: a family of refresh tokens, of which the newest is good. Not the tokens are kept but how
-- many there were; each is made of the session's salt, its number and a key of the server's.
CREATE TABLE accounts.session (
    id         uuid PRIMARY KEY,
    account_id text NOT NULL REFERENCES accounts.account ON DELETE CASCADE,
    salt       bytea NOT NULL,
    number     integer NOT NULL DEFAULT 0,
    browser    boolean NOT NULL,
    agent      text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz
);
CREATE INDEX session_account ON accounts.session (account_id) WHERE ended_at IS NULL;
CREATE INDEX session_ended ON accounts.session (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX session_expiring ON accounts.session (expires_at);

-- Links that are good once (an open invitation: some times). Only a hash of what is in the link is kept.
CREATE TABLE accounts.link (
    hash       bytea PRIMARY KEY,
    purpose    text NOT NULL CHECK (purpose IN ('owner', 'register', 'invite', 'reset', 'ticket')),
    account_id text REFERENCES accounts.account ON DELETE CASCADE,
    email      text,
    role       text,
    made_by    text,
    via        bytea, -- the invitation that it came from, which is used up with it
    uses_left  integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX link_expiring ON accounts.link (expires_at);
CREATE INDEX link_account ON accounts.link (account_id) WHERE account_id IS NOT NULL;

CREATE TABLE accounts.recovery_code (
    account_id text NOT NULL REFERENCES accounts.account ON DELETE CASCADE,
    hash       bytea NOT NULL,
    PRIMARY KEY (account_id, hash)
);

-- What administrators did. It names people by id only, and outlives them.
CREATE TABLE accounts.audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    action  text NOT NULL,
    actor   text,
    subject text,
    detail  text NOT NULL DEFAULT ''
);
