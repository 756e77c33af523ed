// What the Express contender remembers, by node:sqlite or pg: as durable as Vestibule has
// it, and nothing of it encrypted.
import { DatabaseSync } from "node:sqlite";
import pg from "pg";

const TABLES = (blob, id) => `
  CREATE TABLE IF NOT EXISTS launches (
    state_hash ${blob} PRIMARY KEY, request_id text NOT NULL UNIQUE, role text NOT NULL,
    fingerprint ${blob} NOT NULL, verifier text NOT NULL, encrypted text,
    created_at bigint NOT NULL, expires_at bigint NOT NULL, consumed_at bigint,
    completed_at bigint, appointment bigint, alias text UNIQUE);
  CREATE UNIQUE INDEX IF NOT EXISTS launches_completed_once
    ON launches (fingerprint) WHERE completed_at IS NOT NULL;
  CREATE INDEX IF NOT EXISTS launches_created_at ON launches (created_at);
  CREATE TABLE IF NOT EXISTS appointments (
    id ${id}, encounter text NOT NULL UNIQUE, service_name text NOT NULL, pin text NOT NULL,
    last_used_at bigint NOT NULL);`;

const BEGIN = `
  INSERT INTO launches (state_hash, request_id, role, fingerprint, verifier, encrypted,
    created_at, expires_at)
  SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE NOT EXISTS
    (SELECT 1 FROM launches WHERE fingerprint = $4 AND completed_at IS NOT NULL)`;
const CONSUME = `
  UPDATE launches SET consumed_at = $3
  WHERE state_hash = $1 AND role = $2 AND consumed_at IS NULL AND expires_at > $3
  RETURNING request_id, verifier, encrypted`;
const APPOINTMENT = `
  INSERT INTO appointments (encounter, service_name, pin, last_used_at) VALUES ($1, $2, $3, $4)
  ON CONFLICT (encounter) DO UPDATE SET last_used_at = excluded.last_used_at
  RETURNING id, pin`;
const COMPLETE = `
  UPDATE launches SET completed_at = $2, appointment = $3, alias = $4, encrypted = NULL
  WHERE request_id = $1 AND consumed_at IS NOT NULL AND completed_at IS NULL`;

/** A store in the SQLite file or the PostgreSQL database that `database` names. */
export function openStore(database) {
  return database.sqlite ? openSqlite(database.sqlite) : openPostgres(database.postgres);
}

function openSqlite(path) {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  database.exec(TABLES("blob", "integer PRIMARY KEY"));
  // SQLite takes numbers for names of parameters: ?1 for $1.
  const prepare = (statement) => database.prepare(statement.replaceAll("$", "?"));
  const [begin, consume, appoint, complete] = [BEGIN, CONSUME, APPOINTMENT, COMPLETE].map(prepare);
  const [start, commit, undo] = ["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"].map(prepare);
  return {
    begin: (...values) => begin.run(...values).changes === 1,
    consume: (stateHash, role, now) => consume.get(stateHash, role, now),
    complete(requestId, { encounter, service_name, pin }, alias, now) {
      start.run();
      try {
        const appointment = appoint.get(encounter, service_name, pin, now);
        const { changes } = complete.run(requestId, now, appointment.id, alias);
        commit.run();
        return changes === 1 ? appointment.pin : undefined;
      } catch (error) {
        undo.run();
        throw error;
      }
    },
  };
}

async function openPostgres(connectionString) {
  const pool = new pg.Pool({ connectionString, max: 16 });
  await pool.query(TABLES("bytea", "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"));
  // A statement with a name is prepared once for each connection.
  const named = (name, text) => (values) => ({ name, text, values });
  const begin = named("begin", BEGIN.replace("SELECT $1", "SELECT $1::bytea")
    .replace("$2, $3, $4, $5, $6, $7, $8", "$2::text, $3::text, $4::bytea, $5::text, $6::text, $7::bigint, $8::bigint"));
  const consume = named("consume", CONSUME);
  const appoint = named("appoint", APPOINTMENT);
  const complete = named("complete", COMPLETE);
  return {
    begin: async (...values) => (await pool.query(begin(values))).rowCount === 1,
    consume: async (...values) => (await pool.query(consume(values))).rows[0],
    async complete(requestId, { encounter, service_name, pin }, alias, now) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const found = await client.query(appoint([encounter, service_name, pin, now]));
        const [appointment] = found.rows;
        const done = await client.query(complete([requestId, now, appointment.id, alias]));
        await client.query("COMMIT");
        return done.rowCount === 1 ? appointment.pin : undefined;
      } catch (error) {
        await client.query("ROLLBACK");
        throw error;
      } finally {
        client.release();
      }
    },
  };
}
