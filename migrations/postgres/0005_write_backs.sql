CREATE TABLE write_backs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedupe bytea NOT NULL UNIQUE CHECK (octet_length(dedupe) = 32),
    profile bytea NOT NULL CHECK (octet_length(profile) = 16),
    -- No reference: an event must be taken even where its launch is forgotten.
    request_id bytea NOT NULL CHECK (octet_length(request_id) = 16),
    -- Write-backs of one launch are sent in order within their lane.
    lane text NOT NULL CHECK (lane IN ('visit', 'device_test')),
    sealed bytea NOT NULL,
    created_at bigint NOT NULL,
    -- Of those that wait in a lane, not before that of the one at its head.
    due_at bigint NOT NULL,
    state text NOT NULL DEFAULT 'unsent' CHECK (state IN ('unsent', 'sent', 'given_up')),
    attempts integer NOT NULL DEFAULT 0,
    last_status integer CHECK (last_status BETWEEN 0 AND 65535),
    finished_at bigint,
    -- Grows with every lease, so that a holder who comes late is told apart.
    lease bigint NOT NULL DEFAULT 0,
    leased_until bigint,
    CHECK ((state = 'unsent') = (finished_at IS NULL)),
    CHECK (state = 'unsent' OR leased_until IS NULL)
);

CREATE INDEX write_backs_request_id ON write_backs (request_id, created_at, id);
-- What each profile waits for, in the order in which it is sent.
CREATE INDEX write_backs_due ON write_backs (profile, due_at, created_at, id) WHERE state = 'unsent';
-- What comes before a write-back in its lane.
CREATE INDEX write_backs_lane ON write_backs (request_id, lane, id) WHERE state = 'unsent';
CREATE INDEX write_backs_leased ON write_backs (profile, leased_until) WHERE leased_until IS NOT NULL;
CREATE INDEX write_backs_finished_at ON write_backs (finished_at) WHERE finished_at IS NOT NULL;
