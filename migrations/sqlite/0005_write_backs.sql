CREATE TABLE write_backs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dedupe BLOB NOT NULL UNIQUE CHECK (length(dedupe) = 32),
    profile BLOB NOT NULL CHECK (length(profile) = 16),
    -- No reference: an event must be taken even where its launch is forgotten.
    request_id BLOB NOT NULL CHECK (length(request_id) = 16),
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'unsent' CHECK (state IN ('unsent', 'sent', 'given_up')),
    attempts INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER CHECK (last_status BETWEEN 0 AND 65535),
    finished_at INTEGER,
    -- Grows with every lease, so that a holder who comes late is told apart.
    lease INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER,
    CHECK ((state = 'unsent') = (finished_at IS NULL)),
    CHECK (state = 'unsent' OR leased_until IS NULL)
) STRICT;

CREATE INDEX write_backs_request_id ON write_backs (request_id, created_at, id);
CREATE INDEX write_backs_unsent ON write_backs (created_at, id) WHERE state = 'unsent';
CREATE INDEX write_backs_unsent_request ON write_backs (request_id, created_at, id) WHERE state = 'unsent';
CREATE INDEX write_backs_finished_at ON write_backs (finished_at) WHERE finished_at IS NOT NULL;
