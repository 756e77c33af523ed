"""What the Starlette contender remembers, by sqlite3 or asyncpg: as durable as Vestibule
has it, and nothing of it encrypted."""

import contextlib
import sqlite3

import asyncpg

TABLES = """
CREATE TABLE IF NOT EXISTS launches (
    state_hash {blob} PRIMARY KEY, request_id text NOT NULL UNIQUE, role text NOT NULL,
    fingerprint {blob} NOT NULL, verifier text NOT NULL, encrypted text,
    created_at bigint NOT NULL, expires_at bigint NOT NULL, consumed_at bigint,
    completed_at bigint, appointment bigint, alias text UNIQUE);
CREATE UNIQUE INDEX IF NOT EXISTS launches_completed_once
    ON launches (fingerprint) WHERE completed_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS launches_created_at ON launches (created_at);
CREATE TABLE IF NOT EXISTS appointments (
    id {id}, encounter text NOT NULL UNIQUE, service_name text NOT NULL, pin text NOT NULL,
    last_used_at bigint NOT NULL);
"""
BEGIN = """
INSERT INTO launches (state_hash, request_id, role, fingerprint, verifier, encrypted,
    created_at, expires_at)
SELECT {values} WHERE NOT EXISTS
    (SELECT 1 FROM launches WHERE fingerprint = $4 AND completed_at IS NOT NULL)
"""
CONSUME = """
UPDATE launches SET consumed_at = $3
WHERE state_hash = $1 AND role = $2 AND consumed_at IS NULL AND expires_at > $3
RETURNING request_id, verifier, encrypted
"""
APPOINTMENT = """
INSERT INTO appointments (encounter, service_name, pin, last_used_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (encounter) DO UPDATE SET last_used_at = excluded.last_used_at
RETURNING id, pin
"""
COMPLETE = """
UPDATE launches SET completed_at = $2, appointment = $3, alias = $4, encrypted = NULL
WHERE request_id = $1 AND consumed_at IS NOT NULL AND completed_at IS NULL
"""


@contextlib.asynccontextmanager
async def open_store(database):
    """A store in the SQLite file or the PostgreSQL database that `database` names."""
    if path := database.get("sqlite"):
        connection = sqlite3.connect(path, isolation_level=None, cached_statements=32)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(TABLES.format(blob="blob", id="integer PRIMARY KEY"))
        yield Sqlite(connection)
        connection.close()
    else:
        async with asyncpg.create_pool(database["postgres"], min_size=1, max_size=16) as pool:
            identity = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
            await pool.execute(TABLES.format(blob="bytea", id=identity))
            yield Postgres(pool)


class Sqlite:
    """Its statements take microseconds: a thread for them would cost more."""

    BEGIN, CONSUME, APPOINTMENT, COMPLETE = (
        statement.replace("$", "?")
        for statement in (
            BEGIN.format(values="$1, $2, $3, $4, $5, $6, $7, $8"),
            CONSUME,
            APPOINTMENT,
            COMPLETE,
        )
    )

    def __init__(self, connection):
        self.connection = connection

    async def begin(self, *values):
        return self.connection.execute(self.BEGIN, values).rowcount == 1

    async def consume(self, *values):
        rows = self.connection.execute(self.CONSUME, values).fetchall()
        return rows[0] if rows else None

    async def complete(self, request_id, appointment, alias, now):
        run = self.connection.execute
        run("BEGIN IMMEDIATE")
        try:
            [(number, pin)] = run(self.APPOINTMENT, (*appointment, now)).fetchall()
            done = run(self.COMPLETE, (request_id, now, number, alias)).rowcount
            run("COMMIT")
            return pin if done == 1 else None
        except BaseException:
            run("ROLLBACK")
            raise


class Postgres:
    BEGIN = BEGIN.format(
        values="$1::bytea, $2::text, $3::text, $4::bytea, $5::text, $6::text, $7::bigint, $8::bigint"
    )

    def __init__(self, pool):
        self.pool = pool

    async def begin(self, *values):
        return await self.pool.execute(self.BEGIN, *values) == "INSERT 0 1"

    async def consume(self, *values):
        return await self.pool.fetchrow(CONSUME, *values)

    async def complete(self, request_id, appointment, alias, now):
        async with self.pool.acquire() as connection, connection.transaction():
            number, pin = await connection.fetchrow(APPOINTMENT, *appointment, now)
            done = await connection.execute(COMPLETE, request_id, now, number, alias)
            return pin if done == "UPDATE 1" else None
