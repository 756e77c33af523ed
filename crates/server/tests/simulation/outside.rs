//! What worlds have one after the other: the store, which is emptied for each, and where it
//! and the EHR work. Its tables are made once, and SQLite knows its statements already.

use sqlx::Row as _;
use tokio::runtime::{Builder, Runtime};
use vestibule_launch::UnixTime;
use vestibule_store::SqliteStore;

/// The tables that worlds write to. SQLite's own and those of the migrations stay.
const TABLES: &str = "SELECT name FROM main.sqlite_schema WHERE type = 'table'
    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations' ORDER BY name";

/// Where SQLite keeps the numbers that rows were given.
const SEQUENCES: &str = "sqlite_sequence";

/// A store and the EHR, for one world at a time.
pub(crate) struct Outside {
    runtime: Runtime,
    pub(crate) store: SqliteStore,
    tables: Vec<String>,
    /// Brings the store's tables back to what they were at first.
    emptying: String,
}

impl Outside {
    /// Makes the store, and keeps what its tables have in them from the start.
    pub(crate) fn open() -> Self {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_time().build().unwrap();
        let (store, tables) = runtime.block_on(async {
            let store = SqliteStore::in_memory().await.unwrap();
            let rows = sqlx::query(TABLES).fetch_all(store.pool()).await.unwrap();
            let tables: Vec<String> = rows.iter().map(|row| row.get("name")).collect();
            let copying: String = tables
                .iter()
                .map(String::as_str)
                .chain([SEQUENCES])
                .map(|table| format!("CREATE TEMP TABLE first_{table} AS SELECT * FROM {table};"))
                .collect();
            execute(&store, copying).await;
            (store, tables)
        });
        Self {
            runtime,
            store,
            emptying: emptying(&tables),
            tables,
        }
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// When the first of the EHR's access tokens ends that the servers hold.
    pub(crate) fn first_token_ends(&self) -> Option<UnixTime> {
        let query = sqlx::query("SELECT min(expires_at) AS first FROM sessions");
        let row = self.block_on(query.fetch_one(self.store.pool())).unwrap();
        row.get::<Option<i64>, _>("first")
            .map(UnixTime::from_millis)
    }

    /// Makes the store what it was when it was opened.
    pub(crate) fn empty_the_store(&self) {
        self.block_on(execute(&self.store, self.emptying.clone()));
    }

    /// The tables that are not as they were at first.
    pub(crate) fn changed(&self) -> Vec<&str> {
        let tables = self.tables.iter().map(String::as_str);
        let tables = tables.chain([SEQUENCES]);
        tables.filter(|table| self.has_changed(table)).collect()
    }

    fn has_changed(&self, table: &str) -> bool {
        let query = format!(
            "SELECT (SELECT count(*) FROM {table}) <> (SELECT count(*) FROM first_{table})
                 OR EXISTS (SELECT * FROM {table} EXCEPT SELECT * FROM first_{table}) AS changed"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_one(self.store.pool());
        self.block_on(query).unwrap().get("changed")
    }
}

/// All at once, for rows refer to each other. What rows there were at first comes back when
/// all others are gone, for a trigger may change some then; the numbers that rows are given
/// come last, for an insert may change them.
fn emptying(tables: &[String]) -> String {
    let delete = |table: &String| format!("DELETE FROM {table};");
    let copy = |table: &String| format!("INSERT INTO {table} SELECT * FROM first_{table};");
    let deleting = tables.iter().map(delete);
    let copying = tables.iter().map(copy);
    let numbers = SEQUENCES.to_owned();
    let numbers = [delete(&numbers), copy(&numbers)];
    let changes: String = deleting.chain(copying).chain(numbers).collect();
    format!("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON; {changes} COMMIT")
}

async fn execute(store: &SqliteStore, statements: String) {
    let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(statements));
    statements.execute(store.pool()).await.unwrap();
}
