-- Every profile that was ever asked for has its number here; those that live in
-- files, or are forgotten, have nothing sealed.
CREATE TABLE profiles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    sealed BLOB,
    -- Kept when the profile is forgotten: it must never grow smaller.
    updated_at INTEGER,
    CHECK (sealed IS NULL OR updated_at IS NOT NULL)
) STRICT;

CREATE TABLE profiles_revision (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO profiles_revision (only, revision) VALUES (1, 0);
