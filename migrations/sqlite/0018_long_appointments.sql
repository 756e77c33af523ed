-- The few that were used for more than two days: what takes place in a time may have been
-- launched first long before.
CREATE INDEX appointments_long ON appointments (created_at, id)
    WHERE last_used_at - created_at > 172800000;
CREATE INDEX appointments_profile_long ON appointments (profile, created_at, id)
    WHERE last_used_at - created_at > 172800000;
