-- Counts of what was done and what failed, by keyed hashes: nothing here says of whom.
-- Not logged: they are forgotten when the server breaks down.

-- Buckets of tokens, each by when it is full again, in microseconds.
CREATE UNLOGGED TABLE buckets (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    full_at bigint NOT NULL
);

CREATE INDEX buckets_full_at ON buckets (full_at);

-- Attempts that failed or are being made, by when they were.
CREATE UNLOGGED TABLE attempts (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    times bigint[] NOT NULL,
    expires_at bigint NOT NULL
);

CREATE INDEX attempts_expires_at ON attempts (expires_at);
