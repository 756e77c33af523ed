-- Where a provider vouches for an administrator: who that is there, by issuer and
-- subject. A name alone may become another person's.
ALTER TABLE audit_log ADD COLUMN identity TEXT;
ALTER TABLE admin_sessions ADD COLUMN identity TEXT;

CREATE INDEX audit_log_administrator ON audit_log (administrator, at, number);
CREATE INDEX audit_log_action ON audit_log (action, at, number);
