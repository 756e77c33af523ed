//! What is forgotten in SQLite: a batch at a time, each in a transaction of its own or with
//! what others ask for meanwhile. There is one connection that writes, and whoever asks for it
//! while a batch is written is next: a launch waits for two batches at most, however much there
//! is to be forgotten.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row as _, Sqlite, query::Query, sqlite::SqliteArguments};
use vestibule_launch::UnixTime;

use super::{SqliteStore, sessions::of_use, writer::Writer};
use crate::{StoreError, limit::now_micros, ticket::REPEAT_WITHIN};

/// Rows a batch: some milliseconds' work.
const BATCH: u16 = 500;

/// Nothing lasts longer.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What began `?2` or earlier and never ended: the event that ends it was lost.
const END_LOST: [&str; 2] = [
    "UPDATE conferences SET ended_at = ?1 WHERE ended_at IS NULL AND started_at <= ?2",
    "UPDATE participants SET disconnected_at = ?1
     WHERE disconnected_at IS NULL AND connected_at <= ?2",
];

/// Launches after `?1` and `?2`, until `?3` and `?4`, but for those that a running visit or
/// an unsent write-back needs.
const LAUNCHES: &str = "DELETE FROM launches
     WHERE (created_at, rowid) > (?1, ?2) AND (created_at, rowid) <= (?3, ?4)
         AND NOT EXISTS (SELECT 1 FROM running_visits
             WHERE running_visits.appointment = launches.appointment)
         AND NOT EXISTS (SELECT 1 FROM write_backs
             WHERE write_backs.request_id = launches.request_id AND state = 'unsent')
     RETURNING 1";

/// The last launch of a batch after `?1` and `?2`, where so many began before `?3`.
const LAST_LAUNCH: &str = "SELECT created_at, rowid FROM launches
     WHERE (created_at, rowid) > (?1, ?2) AND created_at < ?3
     ORDER BY created_at, rowid LIMIT 1 OFFSET ?4";

/// Appointments after `?1` and `?2`, until `?3` and `?4`, last used before `?5` that nothing
/// leads to any more. None is used before it is made: by that there is an index.
const APPOINTMENTS: &str = "DELETE FROM appointments
     WHERE (created_at, id) > (?1, ?2) AND (created_at, id) <= (?3, ?4) AND last_used_at < ?5
         AND NOT EXISTS (SELECT 1 FROM launches
             WHERE launches.appointment = appointments.id)
         AND NOT EXISTS (SELECT 1 FROM conferences
             WHERE conferences.appointment = appointments.id)
         AND NOT EXISTS (SELECT 1 FROM participants
             WHERE participants.appointment = appointments.id)";

/// The last appointment of a batch after `?1` and `?2`, where so many were made before `?3`.
const LAST_APPOINTMENT: &str = "SELECT created_at, id FROM appointments
     WHERE (created_at, id) > (?1, ?2) AND created_at < ?3
     ORDER BY created_at, id LIMIT 1 OFFSET ?4";

/// Bearer tokens whose alias has expired.
const BEARERS: &str = "NOT EXISTS (SELECT 1 FROM aliases
     WHERE aliases.request_id = bearers.request_id AND aliases.expires_at > ?1)";

pub(super) async fn purge(
    store: &SqliteStore,
    before: UnixTime,
    now: UnixTime,
) -> Result<u64, StoreError> {
    let (writer, counts) = (&store.writer, &store.counts);
    let (old, expired) = (before.as_millis(), now.as_millis());
    for statement in END_LOST {
        let ending = sqlx::query(statement).bind(expired);
        let ending = ending.bind((now - LONGEST).as_millis());
        writer.write(ending).await?;
    }
    delete(writer, "write_backs", "rowid", "finished_at < ?1", old).await?;
    let purged = launches(store, old).await?;
    batches(writer, &unseal(), expired).await?;
    let unredeemed = "redeemed_at IS NULL AND expires_at <= ?1";
    delete(writer, "tickets", "rowid", unredeemed, expired).await?;
    let redeemed_until = (now - REPEAT_WITHIN).as_millis();
    delete(
        writer,
        "tickets",
        "rowid",
        "redeemed_at <= ?1",
        redeemed_until,
    )
    .await?;
    delete(writer, "bearers", "rowid", BEARERS, expired).await?;
    let of_no_use = concat!("expires_at <= ?1 AND NOT ", of_use!());
    delete(writer, "sessions", "rowid", of_no_use, expired).await?;
    delete(
        writer,
        "admin_sessions",
        "rowid",
        "expires_at <= ?1",
        expired,
    )
    .await?;
    let event = "node, seq, second";
    delete(writer, "applied_events", event, "applied_at < ?1", old).await?;
    let conference = "appointment, node";
    delete(writer, "conferences", conference, "ended_at < ?1", old).await?;
    let participant = "appointment, participant";
    delete(
        writer,
        "participants",
        participant,
        "disconnected_at < ?1",
        old,
    )
    .await?;
    appointments(store, old).await?;
    delete(counts, "buckets", "key", "full_at <= ?1", now_micros(now)).await?;
    delete(counts, "attempts", "key", "expires_at <= ?1", expired).await?;
    Ok(purged)
}

/// What is sealed of launches whose sign-in took too long, and join links that have
/// expired: a batch of it.
pub(super) fn unseal() -> String {
    format!(
        "UPDATE launches SET sealed = NULL WHERE rowid IN
             (SELECT rowid FROM launches WHERE sealed IS NOT NULL AND expires_at <= ?1
              LIMIT {BATCH}) RETURNING 1"
    )
}

/// Deletes the rows of a table that are of no use any more by a condition on `?1`. `key` is
/// what tells them apart. Gives how many they were.
pub(super) async fn delete(
    writer: &Writer,
    table: &str,
    key: &str,
    condition: &str,
    until: i64,
) -> Result<u64, StoreError> {
    let statement = format!(
        "DELETE FROM {table} WHERE ({key}) IN
             (SELECT {key} FROM {table} WHERE {condition} LIMIT {BATCH}) RETURNING 1"
    );
    batches(writer, &statement, until).await
}

/// The same batch until nothing is left. Gives how many rows there were.
async fn batches(writer: &Writer, statement: &str, until: i64) -> Result<u64, StoreError> {
    let mut rows = 0;
    loop {
        let batch = sqlx::query(AssertSqlSafe(statement.to_owned())).bind(until);
        let of_batch = writer.write(batch).await?.len();
        rows += of_batch as u64;
        if of_batch < usize::from(BATCH) {
            return Ok(rows);
        }
    }
}

/// Each is looked at once, in the order in which they began.
async fn launches(store: &SqliteStore, before: i64) -> Result<u64, StoreError> {
    let mut purged = 0;
    let mut range = Range::default();
    while range.moves_on(store, LAST_LAUNCH, before).await? {
        let batch = range.bound(sqlx::query(LAUNCHES));
        purged += store.writer.write(batch).await?.len() as u64;
    }
    Ok(purged)
}

/// Each is looked at once, in the order in which they were made.
async fn appointments(store: &SqliteStore, before: i64) -> Result<(), StoreError> {
    let mut range = Range::default();
    while range.moves_on(store, LAST_APPOINTMENT, before).await? {
        let batch = range.bound(sqlx::query(APPOINTMENTS)).bind(before);
        store.writer.write(batch).await?;
    }
    Ok(())
}

/// The rows of a batch, by when they were made and their number: those after the first and
/// until the last of the two.
struct Range {
    after: (i64, i64),
    until: (i64, i64),
    is_last: bool,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            after: (i64::MIN, i64::MIN),
            until: (i64::MIN, i64::MIN),
            is_last: false,
        }
    }
}

impl Range {
    /// On to the next batch of what was made before `before`; whether there is one. `last`
    /// finds its end.
    async fn moves_on(
        &mut self,
        store: &SqliteStore,
        last: &'static str,
        before: i64,
    ) -> Result<bool, StoreError> {
        if self.is_last {
            return Ok(false);
        }
        self.after = self.until;
        let found = sqlx::query(last)
            .bind(self.after.0)
            .bind(self.after.1)
            .bind(before)
            .bind(BATCH - 1)
            .fetch_optional(&store.finding)
            .await?;
        match found {
            Some(row) => self.until = (row.try_get(0)?, row.try_get(1)?),
            None => {
                self.until = (before.saturating_sub(1), i64::MAX);
                self.is_last = true;
            }
        }
        Ok(true)
    }

    fn bound<'q>(
        &self,
        query: Query<'q, Sqlite, SqliteArguments>,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        query
            .bind(self.after.0)
            .bind(self.after.1)
            .bind(self.until.0)
            .bind(self.until.1)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        path::Path,
        sync::atomic::{AtomicBool, Ordering},
    };

    use uuid::Uuid;
    use vestibule_launch::{EhrRole, RequestId};

    use super::*;
    use crate::{Begun, Course, Fingerprint, Launches as _, NewLaunch, Store as _};

    /// So many that five batches are full.
    const OLD: i64 = 2_600;

    const NOW: UnixTime = UnixTime::from_millis(1_000_000);

    /// A store with old launches, each with an appointment, that notes behind its back which
    /// launches come and go.
    async fn opened(folder: &Path) -> SqliteStore {
        let store = SqliteStore::open(&folder.join("state.db")).await.unwrap();
        let old =
            "WITH RECURSIVE old (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM old WHERE n < ?1)";
        for insert in [
            "INSERT INTO appointments
                 (id, profile, encounter_key, sealed, created_at, last_used_at)
             SELECT n, zeroblob(16), CAST(format('%032d', n) AS BLOB), x'', n, n FROM old",
            "INSERT INTO launches (request_id, profile, role, fingerprint, state, appointment,
                 created_at, expires_at, completed_at)
             SELECT CAST(format('%016d', n) AS BLOB), zeroblob(16), 'patient',
                 CAST(format('%032d', n) AS BLOB), 'completed', n, n / 2, n, n FROM old",
        ] {
            let insert = sqlx::query(AssertSqlSafe(format!("{old} {insert}"))).bind(OLD);
            insert.execute(&store.pool).await.unwrap();
        }
        for note in [
            "CREATE TABLE notes (number INTEGER PRIMARY KEY, what TEXT)",
            "CREATE TRIGGER note_begun AFTER INSERT ON launches
             BEGIN INSERT INTO notes (what) VALUES ('begun'); END",
            "CREATE TRIGGER note_purged AFTER DELETE ON launches
             BEGIN INSERT INTO notes (what) VALUES ('purged'); END",
        ] {
            sqlx::query(note).execute(&store.pool).await.unwrap();
        }
        store
    }

    fn launch(number: u128) -> NewLaunch {
        let mut fingerprint = [1; 32];
        fingerprint[..16].copy_from_slice(&number.to_be_bytes());
        NewLaunch {
            request_id: RequestId::from_bytes(number.to_be_bytes()),
            profile: Uuid::nil(),
            role: EhrRole::Patient,
            fingerprint: Fingerprint::from_bytes(fingerprint),
            sealed: b"sealed".to_vec(),
            expires_at: NOW,
            course: Course::default(),
        }
    }

    async fn count(store: &SqliteStore, table: &str) -> i64 {
        let count = format!("SELECT count(*) FROM {table}");
        let count = sqlx::query_scalar(AssertSqlSafe(count));
        count.fetch_one(&store.pool).await.unwrap()
    }

    /// Whoever asks for the next launch as soon as one is stored waits for two batches at most,
    /// the one that is being written and the one that is asked for at the same moment, however
    /// slow the disk is.
    #[tokio::test]
    async fn launches_that_begin_while_very_much_is_purged_are_stored_between_batches() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path()).await;
        let over = AtomicBool::new(false);
        let purging = async {
            let purged = store.purge(NOW, NOW).await.unwrap();
            over.store(true, Ordering::SeqCst);
            purged
        };
        let launching = async {
            let mut begun = 0;
            while !over.load(Ordering::SeqCst) {
                let stored = store.begin_launch(launch(begun), NOW).await;
                assert_eq!(stored.unwrap(), Begun::New);
                begun += 1;
            }
            i64::try_from(begun).unwrap()
        };
        let (purged, begun) = tokio::join!(purging, launching);
        assert_eq!(purged, OLD.cast_unsigned());
        assert_eq!(count(&store, "launches").await, begun);
        assert_eq!(count(&store, "appointments").await, 0);

        let notes = sqlx::query_scalar("SELECT what FROM notes ORDER BY number");
        let notes: Vec<String> = notes.fetch_all(&store.pool).await.unwrap();
        let between = notes.split(|what| what == "begun").map(<[String]>::len);
        let most = between.max().unwrap();
        assert!(
            most <= 2 * usize::from(BATCH),
            "{most} between two launches"
        );
    }

    #[tokio::test]
    async fn what_a_batch_leaves_is_not_looked_at_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path()).await;
        // A visit in every other appointment still runs.
        sqlx::query(
            "INSERT INTO conferences (appointment, node, started_at)
             SELECT id, 'node', ?1 FROM appointments WHERE id % 2 = 0",
        )
        .bind(NOW.as_millis())
        .execute(&store.pool)
        .await
        .unwrap();
        let half = OLD / 2;
        assert_eq!(store.purge(NOW, NOW).await.unwrap(), half.cast_unsigned());
        for table in ["launches", "appointments"] {
            assert_eq!(count(&store, table).await, half, "{table}");
        }
        for (table, statement) in [("launches", LAUNCHES), ("appointments", APPOINTMENTS)] {
            let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
            let steps = plan.fetch_all(&store.pool).await.unwrap();
            let step: String = steps[0].get("detail");
            let found = format!(
                "SEARCH {table} USING INDEX {table}_created_at (created_at>? AND created_at<?)"
            );
            assert_eq!(step, found);
        }
    }

    #[tokio::test]
    async fn of_what_takes_several_batches_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path()).await;
        let many = "WITH RECURSIVE many (n) AS
             (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 1100)";
        for insert in [
            "INSERT INTO applied_events (node, seq, second, applied_at)
             SELECT 'node', n, n, 1 FROM many",
            "INSERT INTO buckets (key, full_at)
             SELECT CAST(format('%032d', n) AS BLOB), 1 FROM many",
        ] {
            let insert = sqlx::query(AssertSqlSafe(format!("{many} {insert}")));
            insert.execute(&store.pool).await.unwrap();
        }
        store.purge(NOW, NOW).await.unwrap();
        for table in ["applied_events", "buckets"] {
            assert_eq!(count(&store, table).await, 0, "{table}");
        }
    }
}
