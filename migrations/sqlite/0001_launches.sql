-- Times are milliseconds since 1970-01-01T00:00:00Z. Everything personal is in
-- the `sealed` columns, encrypted by the server under a key that is not here;
-- keys and hashes are one-way.

CREATE TABLE appointments (
    id INTEGER PRIMARY KEY,
    profile BLOB NOT NULL CHECK (length(profile) = 16),
    encounter_key BLOB NOT NULL CHECK (length(encounter_key) = 32),
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    UNIQUE (profile, encounter_key)
) STRICT;

CREATE TABLE launches (
    request_id BLOB PRIMARY KEY CHECK (length(request_id) = 16),
    profile BLOB NOT NULL CHECK (length(profile) = 16),
    role TEXT NOT NULL CHECK (role IN ('patient', 'provider')),
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    state TEXT NOT NULL CHECK (state IN ('started', 'authorised', 'completed', 'failed')),
    -- What the callback needs; gone as soon as the launch has completed or failed.
    sealed BLOB,
    appointment INTEGER REFERENCES appointments (id),
    error_name TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    completed_at INTEGER,
    failed_at INTEGER,
    CHECK ((state = 'failed') = (error_name IS NOT NULL)),
    CHECK ((state = 'failed') = (failed_at IS NOT NULL)),
    CHECK (state <> 'completed' OR completed_at IS NOT NULL),
    CHECK ((completed_at IS NULL) = (appointment IS NULL))
) STRICT;

-- One EHR launch token completes one launch.
CREATE UNIQUE INDEX launches_completed_once ON launches (fingerprint) WHERE completed_at IS NOT NULL;
CREATE INDEX launches_created_at ON launches (created_at);
CREATE INDEX launches_appointment ON launches (appointment);

CREATE TABLE aliases (
    alias_hash BLOB PRIMARY KEY CHECK (length(alias_hash) = 32),
    request_id BLOB NOT NULL UNIQUE REFERENCES launches (request_id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tickets (
    ticket_hash BLOB PRIMARY KEY CHECK (length(ticket_hash) = 32),
    request_id BLOB NOT NULL UNIQUE REFERENCES launches (request_id) ON DELETE CASCADE,
    sealed BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    redeemed_at INTEGER,
    browser_hash BLOB CHECK (length(browser_hash) = 32),
    CHECK ((redeemed_at IS NULL) = (browser_hash IS NULL))
) STRICT;
