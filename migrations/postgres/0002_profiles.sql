-- Every profile that was ever asked for has its number here; those that live in
-- files, or are forgotten, have nothing sealed.
CREATE TABLE profiles (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid bytea NOT NULL UNIQUE CHECK (octet_length(uuid) = 16),
    sealed bytea,
    -- Kept when the profile is forgotten: it must never grow smaller.
    updated_at bigint,
    CHECK (sealed IS NULL OR updated_at IS NOT NULL)
);

CREATE TABLE profiles_revision (
    only_one integer PRIMARY KEY CHECK (only_one = 1),
    revision bigint NOT NULL
);

INSERT INTO profiles_revision (only_one, revision) VALUES (1, 0);
