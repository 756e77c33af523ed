CREATE TABLE sessions (
    request_id bytea PRIMARY KEY REFERENCES launches (request_id) ON DELETE CASCADE,
    profile bytea NOT NULL CHECK (octet_length(profile) = 16),
    role text NOT NULL CHECK (role IN ('patient', 'provider')),
    sealed bytea NOT NULL,
    renew_at bigint,
    expires_at bigint NOT NULL,
    -- Grows with every lease, so that a holder who comes late is told apart.
    lease bigint NOT NULL DEFAULT 0,
    leased_until bigint
);

CREATE INDEX sessions_renew_at ON sessions (renew_at, request_id) WHERE renew_at IS NOT NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);
