-- Counts of what was done and what failed, by keyed hashes: nothing here says of whom.
-- Written without waiting for the disk: they may be lost when the power fails.

-- Buckets of tokens, each by when it is full again, in microseconds.
CREATE TABLE buckets (
    key BLOB PRIMARY KEY CHECK (length(key) = 32),
    full_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Attempts that failed or are being made, by when they were, as a JSON array.
CREATE TABLE attempts (
    key BLOB PRIMARY KEY CHECK (length(key) = 32),
    times TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
