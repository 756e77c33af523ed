-- Which table of a profile tells it: what it tells takes the place of what it told before,
-- and not of what another one told. Of what is here already it is sealed which table
-- tells it: it stays in one lane, `visit`. It need not be looked at.
ALTER TABLE write_backs
    DROP CONSTRAINT write_backs_lane_check,
    ADD CONSTRAINT write_backs_lane_check
        CHECK (lane IN
            ('visit', 'epic_connection_status', 'end_of_call', 'zoom_notification', 'device_test'))
        NOT VALID;
