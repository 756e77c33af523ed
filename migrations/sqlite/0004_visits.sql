CREATE TABLE applied_events (
    node TEXT NOT NULL,
    seq INTEGER NOT NULL,
    second INTEGER NOT NULL,
    applied_at INTEGER NOT NULL,
    PRIMARY KEY (node, seq, second)
) STRICT, WITHOUT ROWID;

CREATE INDEX applied_events_applied_at ON applied_events (applied_at);

-- Where an appointment's conference runs or ran. Times are by the nodes' clocks.
CREATE TABLE conferences (
    appointment INTEGER NOT NULL REFERENCES appointments (id),
    node TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (appointment, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE participants (
    appointment INTEGER NOT NULL REFERENCES appointments (id),
    participant BLOB NOT NULL CHECK (length(participant) = 16),
    -- The one that reported the participant last.
    node TEXT NOT NULL,
    alias_hash BLOB NOT NULL CHECK (length(alias_hash) = 32),
    sealed BLOB NOT NULL,
    connected_at INTEGER NOT NULL,
    disconnected_at INTEGER,
    PRIMARY KEY (appointment, participant)
) STRICT, WITHOUT ROWID;

CREATE INDEX participants_participant ON participants (participant);
CREATE INDEX participants_disconnected_at ON participants (disconnected_at) WHERE disconnected_at IS NOT NULL;
CREATE INDEX participants_connected ON participants (appointment, node) WHERE disconnected_at IS NULL;
CREATE INDEX conferences_ended_at ON conferences (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX conferences_running ON conferences (appointment, node) WHERE ended_at IS NULL;

-- Each visit that runs, once for every conference and participant that keeps it running.
CREATE VIEW running_visits (appointment, node) AS
SELECT appointment, node FROM conferences WHERE ended_at IS NULL
UNION ALL
SELECT appointment, node FROM participants WHERE disconnected_at IS NULL;

-- An encounter key is found without its profile.
CREATE INDEX appointments_encounter_key ON appointments (encounter_key);
