CREATE TABLE sessions (
    request_id BLOB PRIMARY KEY REFERENCES launches (request_id) ON DELETE CASCADE,
    profile BLOB NOT NULL CHECK (length(profile) = 16),
    role TEXT NOT NULL CHECK (role IN ('patient', 'provider')),
    sealed BLOB NOT NULL,
    renew_at INTEGER,
    expires_at INTEGER NOT NULL,
    -- Grows with every lease, so that a holder who comes late is told apart.
    lease INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER
) STRICT;

CREATE INDEX sessions_renew_at ON sessions (renew_at) WHERE renew_at IS NOT NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);
