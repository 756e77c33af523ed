-- Which table of a profile tells it: what it tells takes the place of what it told before,
-- and not of what another one told. Of what is here already it is sealed which table
-- tells it: it stays in one lane, `visit`.
DROP INDEX write_backs_unsent_request;
ALTER TABLE write_backs RENAME COLUMN lane TO lane_before;
ALTER TABLE write_backs ADD COLUMN lane TEXT NOT NULL DEFAULT 'visit'
    CHECK (lane IN
        ('visit', 'epic_connection_status', 'end_of_call', 'zoom_notification', 'device_test'));
UPDATE write_backs SET lane = lane_before;
ALTER TABLE write_backs DROP COLUMN lane_before;
CREATE INDEX write_backs_unsent_request ON write_backs (request_id, lane, created_at, id) WHERE state = 'unsent';
