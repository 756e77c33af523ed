-- What the EHR calls the department of the encounter. It tells nothing of a person.
ALTER TABLE launches ADD COLUMN department text COLLATE "C";

CREATE INDEX launches_department ON launches (department, created_at, request_id)
    WHERE department IS NOT NULL;
CREATE INDEX launches_error_name ON launches (error_name, created_at, request_id)
    WHERE error_name IS NOT NULL;
CREATE INDEX launches_failed ON launches (created_at, request_id) WHERE state = 'failed';
CREATE INDEX appointments_created_at ON appointments (created_at, id);

-- Each time in which something of a visit lasted; without its end where it still does.
CREATE VIEW visit_times (appointment, began_at, ended_at) AS
SELECT appointment, started_at, ended_at FROM conferences
UNION ALL
SELECT appointment, connected_at, disconnected_at FROM participants;

-- Since when it is tried, where somebody had it sent again.
ALTER TABLE write_backs ADD COLUMN sent_again_at bigint;

CREATE INDEX write_backs_created_at ON write_backs (created_at, id);
CREATE INDEX write_backs_given_up ON write_backs (created_at, id) WHERE state = 'given_up';

-- Attempts to send that are over.
CREATE TABLE write_back_attempts (
    write_back bigint NOT NULL REFERENCES write_backs (id) ON DELETE CASCADE,
    number integer NOT NULL CHECK (number > 0),
    at bigint NOT NULL,
    -- Of the EHR's answer, where there was one.
    status integer CHECK (status BETWEEN 0 AND 65535),
    PRIMARY KEY (write_back, number)
);
