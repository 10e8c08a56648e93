-- Logging in by way of others: who somebody is there, and log-ins that are under way.

CREATE TABLE accounts.identity (
    issuer     text NOT NULL, -- an OpenID issuer's address, or the name of a provider that has none
    subject    text NOT NULL, -- who somebody is there, for good; never the address, which may pass to somebody else
    account_id text NOT NULL REFERENCES accounts.account ON DELETE CASCADE,
    provider   text NOT NULL,
    linked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_account ON accounts.identity (account_id);

-- Kept only until the provider sends the browser back, or a few minutes.
CREATE TABLE accounts.oauth_flow (
    state_hash   bytea PRIMARY KEY,
    browser_hash bytea NOT NULL, -- of the cookie that the browser has to bring: a flow ends where it began
    provider     text NOT NULL,
    nonce        text NOT NULL,
    verifier     text NOT NULL,
    path         text NOT NULL,
    link_account text REFERENCES accounts.account ON DELETE CASCADE, -- to be linked with this one, by this session
    link_session uuid,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX oauth_flow_expiring ON accounts.oauth_flow (expires_at);
