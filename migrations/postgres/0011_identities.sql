-- Where a provider vouches for an administrator: who that is there, by issuer and
-- subject. A name alone may become another person's.
ALTER TABLE audit_log ADD COLUMN identity text;
ALTER TABLE admin_sessions ADD COLUMN identity text;
