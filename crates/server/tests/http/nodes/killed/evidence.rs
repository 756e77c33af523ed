//! Everything that is on record once all is quiet: what people saw, what the servers'
//! database and log hold, and what the EHR has in its journal.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;
use vestibule_test_postgres::Cluster;

use super::story::Told;

#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    pub(super) told: Told,
    /// By request id.
    pub(super) launches: BTreeMap<String, StoredLaunch>,
    /// By the hash of an alias, in hexadecimal: the request id of its launch.
    pub(super) aliases: BTreeMap<String, String>,
    /// Appointments whose conference has not ended, or where somebody still is.
    pub(super) running: Vec<String>,
    /// Encounters, by a hash, of which there is more than one appointment, and
    /// appointments with a conference and no launch that led there.
    pub(super) odd_appointments: Vec<String>,
    pub(super) write_backs: BTreeMap<u64, StoredWriteBack>,
    /// The EHR's, oldest first.
    pub(super) journal: Vec<Value>,
    /// What all servers have logged.
    pub(super) log: String,
}

/// A row of the table of launches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredLaunch {
    /// `started`, `authorised`, `completed` or `failed`.
    pub(super) state: String,
}

/// A row of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredWriteBack {
    pub(super) request_id: String,
    /// `unsent`, `sent`, `given_up` or `not_needed`.
    pub(super) state: String,
}

impl Evidence {
    pub(super) fn gather(
        told: Told,
        cluster: &Cluster,
        database: &str,
        journal: Vec<Value>,
        folder: &Path,
    ) -> Self {
        let rows = |statement: &str| rows(cluster, database, statement);
        let launches = rows("SELECT encode(request_id, 'hex')::uuid, state FROM launches");
        let aliases =
            rows("SELECT encode(alias_hash, 'hex'), encode(request_id, 'hex')::uuid FROM aliases");
        let write_backs =
            rows("SELECT id, encode(request_id, 'hex')::uuid, state FROM write_backs");
        let running = rows("SELECT appointment, node FROM running_visits");
        let odd = rows(
            "SELECT encode(encounter_key, 'hex') FROM appointments
             GROUP BY encounter_key, profile HAVING count(*) > 1
             UNION ALL
             SELECT 'conference of ' || appointment FROM conferences
             WHERE appointment NOT IN (SELECT appointment FROM launches
                 WHERE completed_at IS NOT NULL)",
        );
        let lines = |rows: Vec<Vec<String>>| rows.into_iter().map(|row| row.join(" ")).collect();
        Self {
            told,
            launches: launches
                .into_iter()
                .map(|row| {
                    let [request_id, state] = row.try_into().unwrap();
                    (request_id, StoredLaunch { state })
                })
                .collect(),
            aliases: aliases
                .into_iter()
                .map(|row| <[String; 2]>::try_from(row).unwrap().into())
                .collect(),
            running: lines(running),
            odd_appointments: lines(odd),
            write_backs: write_backs
                .into_iter()
                .map(|row| {
                    let [id, request_id, state] = row.try_into().unwrap();
                    (id.parse().unwrap(), StoredWriteBack { request_id, state })
                })
                .collect(),
            journal,
            log: fs::read_to_string(folder.join("log")).unwrap(),
        }
    }
}

/// The rows that a statement gives, each as its columns.
fn rows(cluster: &Cluster, database: &str, statement: &str) -> Vec<Vec<String>> {
    let text = cluster.query(database, statement);
    let lines = text.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| line.split('|').map(str::to_owned).collect())
        .collect()
}
