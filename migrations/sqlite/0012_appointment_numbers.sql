-- The highest number of an appointment that is forgotten: no other one gets it, because the
-- audit log, which is kept longer, names appointments by their number.
CREATE TABLE forgotten_appointments (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    highest INTEGER NOT NULL
) STRICT;

INSERT INTO forgotten_appointments (only, highest)
SELECT 1, coalesce(max(CAST(subject AS INTEGER)), 0)
FROM audit_log WHERE subject_kind = 'appointment';

CREATE TRIGGER appointments_are_numbered_once AFTER DELETE ON appointments
BEGIN
    UPDATE forgotten_appointments SET highest = max(highest, old.id);
END;
