CREATE TABLE audit_log (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at bigint NOT NULL,
    -- Without a name: somebody whom nobody knows.
    administrator text,
    role text,
    source text NOT NULL,
    action text NOT NULL,
    subject_kind text,
    subject text,
    details text NOT NULL,
    CHECK ((subject_kind IS NULL) = (subject IS NULL))
);

-- Administrators do little: each way of asking has an index.
CREATE INDEX audit_log_at ON audit_log (at, number);
CREATE INDEX audit_log_administrator ON audit_log (administrator, at, number);
CREATE INDEX audit_log_action ON audit_log (action, at, number);
CREATE INDEX audit_log_subject ON audit_log (subject_kind, subject, at, number)
    WHERE subject IS NOT NULL;

-- Entries from before this time, and only these, may be forgotten.
CREATE TABLE audit_retention (
    only_one integer PRIMARY KEY CHECK (only_one = 1),
    kept_since bigint NOT NULL
);

INSERT INTO audit_retention (only_one, kept_since) VALUES (1, -9223372036854775808);

CREATE FUNCTION refuse_to_change_the_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to';
END
$$;

CREATE FUNCTION refuse_to_shorten_the_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.at < (SELECT kept_since FROM audit_retention) THEN
        RETURN old;
    END IF;
    RAISE EXCEPTION 'the audit log is only added to';
END
$$;

CREATE FUNCTION refuse_to_bring_back_the_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND new.kept_since >= old.kept_since THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'what was forgotten does not come back';
END
$$;

CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_to_change_the_audit_log();
CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_audit_log();
CREATE TRIGGER audit_log_is_kept BEFORE DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_to_shorten_the_audit_log();
CREATE TRIGGER audit_retention_only_grows BEFORE UPDATE OR DELETE ON audit_retention
    FOR EACH ROW EXECUTE FUNCTION refuse_to_bring_back_the_audit_log();
CREATE TRIGGER audit_retention_is_not_emptied BEFORE TRUNCATE ON audit_retention
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_bring_back_the_audit_log();

CREATE TABLE admin_sessions (
    id_hash bytea PRIMARY KEY CHECK (octet_length(id_hash) = 32),
    administrator text NOT NULL,
    role text NOT NULL,
    may_see_names boolean NOT NULL,
    credential bytea NOT NULL CHECK (octet_length(credential) = 32),
    created_at bigint NOT NULL,
    used_at bigint NOT NULL,
    expires_at bigint NOT NULL
);

CREATE INDEX admin_sessions_expires_at ON admin_sessions (expires_at);
