CREATE TABLE applied_events (
    node text NOT NULL,
    seq bigint NOT NULL,
    second bigint NOT NULL,
    applied_at bigint NOT NULL,
    PRIMARY KEY (node, seq, second)
);

CREATE INDEX applied_events_applied_at ON applied_events (applied_at);

-- Where an appointment's conference runs or ran. Times are by the nodes' clocks.
CREATE TABLE conferences (
    appointment bigint NOT NULL REFERENCES appointments (id),
    node text NOT NULL,
    started_at bigint NOT NULL,
    ended_at bigint,
    PRIMARY KEY (appointment, node)
);

CREATE INDEX conferences_ended_at ON conferences (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX conferences_running ON conferences (node, appointment) WHERE ended_at IS NULL;

CREATE TABLE participants (
    appointment bigint NOT NULL REFERENCES appointments (id),
    participant bytea NOT NULL CHECK (octet_length(participant) = 16),
    -- The one that reported the participant last.
    node text NOT NULL,
    alias_hash bytea NOT NULL CHECK (octet_length(alias_hash) = 32),
    sealed bytea NOT NULL,
    connected_at bigint NOT NULL,
    disconnected_at bigint,
    PRIMARY KEY (appointment, participant)
);

CREATE INDEX participants_participant ON participants (participant);
CREATE INDEX participants_disconnected_at ON participants (disconnected_at) WHERE disconnected_at IS NOT NULL;
CREATE INDEX participants_connected ON participants (node, appointment) WHERE disconnected_at IS NULL;

-- Each visit that runs, once for every conference and participant that keeps it running.
CREATE VIEW running_visits (appointment, node) AS
SELECT appointment, node FROM conferences WHERE ended_at IS NULL
UNION ALL
SELECT appointment, node FROM participants WHERE disconnected_at IS NULL;
