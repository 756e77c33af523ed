-- Of a launch that was turned away at the button the role may not be known, and the
-- profile may be none: zeros.
ALTER TABLE launches ADD COLUMN role_known INTEGER NOT NULL DEFAULT 1 CHECK (role_known IN (0, 1));
-- When the user came back from the EHR's sign-in.
ALTER TABLE launches ADD COLUMN authorised_at INTEGER;
-- The steps that were taken, each with when it was over, how long it took and how it went.
ALTER TABLE launches ADD COLUMN steps TEXT NOT NULL DEFAULT '';
-- A failure after which somebody joined all the same.
ALTER TABLE launches ADD COLUMN overcome TEXT;

-- Write-backs that are not true any more have a state of their own. A check cannot be
-- changed: the tables are made anew. Only attempts refer to write-backs, and they go first.
CREATE TABLE new_write_backs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dedupe BLOB NOT NULL UNIQUE CHECK (length(dedupe) = 32),
    profile BLOB NOT NULL CHECK (length(profile) = 16),
    -- No reference: an event must be taken even where its launch is forgotten.
    request_id BLOB NOT NULL CHECK (length(request_id) = 16),
    lane TEXT NOT NULL CHECK (lane IN ('visit', 'device_test')),
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'unsent' CHECK (state IN ('unsent', 'sent', 'given_up', 'not_needed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER CHECK (last_status BETWEEN 0 AND 65535),
    -- Why the last attempt came to nothing, in a word of the program's.
    last_reason TEXT,
    finished_at INTEGER,
    -- Since when it is tried, where somebody had it sent again.
    sent_again_at INTEGER,
    -- Grows with every lease, so that a holder who comes late is told apart.
    lease INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER,
    CHECK ((state = 'unsent') = (finished_at IS NULL)),
    CHECK (state = 'unsent' OR leased_until IS NULL)
) STRICT;

-- Numbers are never given again, those of write-backs that are forgotten included.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'new_write_backs', seq FROM sqlite_sequence WHERE name = 'write_backs';

INSERT INTO new_write_backs
    (id, dedupe, profile, request_id, lane, sealed, created_at, due_at, state, attempts,
     last_status, finished_at, sent_again_at, lease, leased_until)
SELECT id, dedupe, profile, request_id, lane, sealed, created_at, due_at, state, attempts,
     last_status, finished_at, sent_again_at, lease, leased_until
FROM write_backs;

CREATE TABLE new_write_back_attempts (
    write_back INTEGER NOT NULL REFERENCES new_write_backs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number > 0),
    at INTEGER NOT NULL,
    -- Of the EHR's answer, where there was one.
    status INTEGER CHECK (status BETWEEN 0 AND 65535),
    -- Why it came to nothing, in a word of the program's.
    reason TEXT,
    PRIMARY KEY (write_back, number)
) STRICT, WITHOUT ROWID;

INSERT INTO new_write_back_attempts (write_back, number, at, status)
SELECT write_back, number, at, status FROM write_back_attempts;

DROP TABLE write_back_attempts;
DROP TABLE write_backs;
ALTER TABLE new_write_backs RENAME TO write_backs;
ALTER TABLE new_write_back_attempts RENAME TO write_back_attempts;

CREATE INDEX write_backs_request_id ON write_backs (request_id, created_at, id);
CREATE INDEX write_backs_unsent ON write_backs (created_at, id) WHERE state = 'unsent';
CREATE INDEX write_backs_unsent_request ON write_backs (request_id, lane, created_at, id) WHERE state = 'unsent';
CREATE INDEX write_backs_finished_at ON write_backs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX write_backs_created_at ON write_backs (created_at, id);
CREATE INDEX write_backs_given_up ON write_backs (created_at, id) WHERE state = 'given_up';
