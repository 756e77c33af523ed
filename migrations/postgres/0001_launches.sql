-- Times are milliseconds since 1970-01-01T00:00:00Z. Everything personal is in
-- the `sealed` columns, encrypted by the server under a key that is not here;
-- keys and hashes are one-way.

CREATE TABLE appointments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    profile bytea NOT NULL CHECK (octet_length(profile) = 16),
    encounter_key bytea NOT NULL CHECK (octet_length(encounter_key) = 32),
    sealed bytea NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint NOT NULL,
    -- In this order: an encounter key is found without its profile too.
    UNIQUE (encounter_key, profile)
);

-- Appointments are forgotten in this order, a batch at a time.
CREATE INDEX appointments_last_used_at ON appointments (last_used_at, id);

CREATE TABLE launches (
    request_id bytea PRIMARY KEY CHECK (octet_length(request_id) = 16),
    profile bytea NOT NULL CHECK (octet_length(profile) = 16),
    role text NOT NULL CHECK (role IN ('patient', 'provider')),
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    state text NOT NULL CHECK (state IN ('started', 'authorised', 'completed', 'failed')),
    -- What the callback needs; gone as soon as the launch has completed or failed.
    sealed bytea,
    appointment bigint REFERENCES appointments (id),
    error_name text,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    completed_at bigint,
    failed_at bigint,
    CHECK ((state = 'failed') = (error_name IS NOT NULL)),
    CHECK ((state = 'failed') = (failed_at IS NOT NULL)),
    CHECK (state <> 'completed' OR completed_at IS NOT NULL),
    CHECK ((completed_at IS NULL) = (appointment IS NULL))
);

-- One EHR launch token completes one launch.
CREATE UNIQUE INDEX launches_completed_once ON launches (fingerprint) WHERE completed_at IS NOT NULL;
-- Launches are forgotten in this order, a batch at a time.
CREATE INDEX launches_created_at ON launches (created_at, request_id);
CREATE INDEX launches_appointment ON launches (appointment) WHERE appointment IS NOT NULL;
-- The few launches that still hold something sealed are looked for every few minutes.
CREATE INDEX launches_sealed ON launches (expires_at) WHERE sealed IS NOT NULL;

CREATE TABLE aliases (
    alias_hash bytea PRIMARY KEY CHECK (octet_length(alias_hash) = 32),
    request_id bytea NOT NULL UNIQUE REFERENCES launches (request_id) ON DELETE CASCADE,
    expires_at bigint NOT NULL
);

CREATE TABLE tickets (
    ticket_hash bytea PRIMARY KEY CHECK (octet_length(ticket_hash) = 32),
    request_id bytea NOT NULL UNIQUE REFERENCES launches (request_id) ON DELETE CASCADE,
    sealed bytea NOT NULL,
    expires_at bigint NOT NULL,
    redeemed_at bigint,
    browser_hash bytea CHECK (octet_length(browser_hash) = 32),
    CHECK ((redeemed_at IS NULL) = (browser_hash IS NULL))
);

CREATE INDEX tickets_expires_at ON tickets (expires_at) WHERE redeemed_at IS NULL;
CREATE INDEX tickets_redeemed_at ON tickets (redeemed_at) WHERE redeemed_at IS NOT NULL;

-- What lets a landing page speak for its launch, as long as the launch's alias lives.
CREATE TABLE bearers (
    request_id bytea PRIMARY KEY REFERENCES launches (request_id) ON DELETE CASCADE,
    bearer_hash bytea NOT NULL CHECK (octet_length(bearer_hash) = 32),
    -- What the ticket was redeemed for, without the token.
    sealed bytea NOT NULL,
    -- The browser that redeemed the ticket.
    browser_hash bytea CHECK (octet_length(browser_hash) = 32),
    -- That of the alias.
    expires_at bigint NOT NULL
);

CREATE INDEX bearers_expires_at ON bearers (expires_at);

-- What the landing page reported, numbered from 1 as it arrived.
CREATE TABLE launch_events (
    request_id bytea NOT NULL REFERENCES launches (request_id) ON DELETE CASCADE,
    number integer NOT NULL CHECK (number > 0),
    event text NOT NULL,
    error_name text,
    camera text,
    microphone text,
    speaker text,
    connection text,
    received_at bigint NOT NULL,
    -- By the browser's clock, where it says so.
    browser_time bigint,
    PRIMARY KEY (request_id, number),
    CHECK ((event = 'failed') = (error_name IS NOT NULL)),
    CHECK ((event = 'device_test') = (camera IS NOT NULL)),
    CHECK ((camera IS NULL) = (microphone IS NULL)),
    CHECK ((camera IS NULL) = (speaker IS NULL)),
    CHECK ((camera IS NULL) = (connection IS NULL))
);
