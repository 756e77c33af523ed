//! How the tables of a database are, before anything is changed in them.

use sqlx::{PgConnection, SqliteConnection, migrate::Migrator};

use vestibule_launch::UnixTime;

use crate::StoreError;

/// How the tables of a database are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// The database program's version, such as `15.8`.
    pub version: String,
    /// How many changes are still to be made to the tables.
    pub outstanding: usize,
    /// Whether a newer version of this program has changed them.
    pub newer: bool,
    /// What the database program's own clock said as it was asked; nothing of a file, which
    /// has none.
    pub clock: Option<UnixTime>,
}

impl Tables {
    fn new(version: String, applied: &[i64], migrator: &Migrator) -> Self {
        let known = || migrator.iter().map(|migration| migration.version);
        Self {
            version,
            outstanding: known().filter(|it| !applied.contains(it)).count(),
            newer: applied.iter().any(|it| known().all(|known| known != *it)),
            clock: None,
        }
    }
}

pub(crate) async fn of_sqlite(
    connection: &mut SqliteConnection,
    migrator: &Migrator,
) -> Result<Tables, StoreError> {
    let version = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(&mut *connection)
        .await?;
    let begun: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')",
    )
    .fetch_one(&mut *connection)
    .await?;
    let applied: Vec<i64> = if begun {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&mut *connection)
            .await?
    } else {
        Vec::new()
    };
    Ok(Tables::new(version, &applied, migrator))
}

pub(crate) async fn of_postgres(
    connection: &mut PgConnection,
    migrator: &Migrator,
) -> Result<Tables, StoreError> {
    let version = sqlx::query_scalar("SELECT current_setting('server_version')")
        .fetch_one(&mut *connection)
        .await?;
    let begun: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    let applied: Vec<i64> = if begun {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&mut *connection)
            .await?
    } else {
        Vec::new()
    };
    // Asked last, and so just before the caller looks at its own.
    let clock = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let clock: i64 = sqlx::query_scalar(clock)
        .fetch_one(&mut *connection)
        .await?;
    Ok(Tables {
        clock: Some(UnixTime::from_millis(clock)),
        ..Tables::new(version, &applied, migrator)
    })
}
