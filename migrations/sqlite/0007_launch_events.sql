-- What lets a landing page speak for its launch, as long as the launch's alias lives.
CREATE TABLE bearers (
    request_id BLOB PRIMARY KEY REFERENCES launches (request_id) ON DELETE CASCADE,
    bearer_hash BLOB NOT NULL CHECK (length(bearer_hash) = 32),
    -- What the ticket was redeemed for, without the token.
    sealed BLOB NOT NULL,
    -- The browser that redeemed the ticket.
    browser_hash BLOB CHECK (length(browser_hash) = 32)
) STRICT;

-- What the landing page reported, numbered from 1 as it arrived.
CREATE TABLE launch_events (
    request_id BLOB NOT NULL REFERENCES launches (request_id) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number > 0),
    event TEXT NOT NULL,
    error_name TEXT,
    camera TEXT,
    microphone TEXT,
    speaker TEXT,
    connection TEXT,
    received_at INTEGER NOT NULL,
    -- By the browser's clock, where it says so.
    browser_time INTEGER,
    PRIMARY KEY (request_id, number),
    CHECK ((event = 'failed') = (error_name IS NOT NULL)),
    CHECK ((event = 'device_test') = (camera IS NOT NULL)),
    CHECK ((camera IS NULL) = (microphone IS NULL)),
    CHECK ((camera IS NULL) = (speaker IS NULL)),
    CHECK ((camera IS NULL) = (connection IS NULL))
) STRICT, WITHOUT ROWID;

-- Write-backs of one launch are sent in order within their lane.
ALTER TABLE write_backs ADD COLUMN lane TEXT NOT NULL DEFAULT 'visit' CHECK (lane IN ('visit', 'device_test'));
DROP INDEX write_backs_unsent_request;
CREATE INDEX write_backs_unsent_request ON write_backs (request_id, lane, created_at, id) WHERE state = 'unsent';
