CREATE TABLE audit_log (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    -- Without a name: somebody whom nobody knows.
    administrator TEXT,
    role TEXT,
    source TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT,
    subject TEXT,
    details TEXT NOT NULL,
    CHECK ((subject_kind IS NULL) = (subject IS NULL))
) STRICT;

CREATE INDEX audit_log_at ON audit_log (at, number);
CREATE INDEX audit_log_subject ON audit_log (subject_kind, subject, at) WHERE subject IS NOT NULL;

-- Entries from before this time, and only these, may be forgotten.
CREATE TABLE audit_retention (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    kept_since INTEGER NOT NULL
) STRICT;

INSERT INTO audit_retention (only, kept_since) VALUES (1, -9223372036854775808);

CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

CREATE TRIGGER audit_log_is_not_replaced BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE number = new.number)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log
WHEN old.at >= coalesce((SELECT kept_since FROM audit_retention), old.at)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

CREATE TRIGGER audit_retention_only_grows BEFORE UPDATE ON audit_retention
WHEN new.kept_since < old.kept_since
BEGIN
    SELECT RAISE(ABORT, 'what was forgotten does not come back');
END;

CREATE TABLE admin_sessions (
    id_hash BLOB PRIMARY KEY CHECK (length(id_hash) = 32),
    administrator TEXT NOT NULL,
    role TEXT NOT NULL,
    may_see_names INTEGER NOT NULL CHECK (may_see_names IN (0, 1)),
    credential BLOB NOT NULL CHECK (length(credential) = 32),
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX admin_sessions_expires_at ON admin_sessions (expires_at);
