//! What every back-end does: a trait for each noun, and [`Store`] for all of them.

mod admin_sessions;
mod audit;
mod join_links;
mod launch_events;
mod launches;
mod limits;
mod overview;
mod profiles;
mod sessions;
mod visits;
mod write_backs;

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{error::DatabaseError, sqlite::SqliteError};
use vestibule_launch::UnixTime;

pub use admin_sessions::AdminSessions;
pub use audit::Audit;
pub use join_links::JoinLinks;
pub use launch_events::LaunchEvents;
pub use launches::Launches;
pub use limits::Limits;
pub use overview::Overview;
pub use profiles::Profiles;
pub use sessions::Sessions;
pub use visits::Visits;
pub use write_backs::WriteBacks;

/// The memory of the server. Every operation is atomic: of callers that race for
/// the same thing, exactly one wins. `tests/conformance` says it in tests.
#[async_trait]
pub trait Store:
    AdminSessions
    + Audit
    + JoinLinks
    + Launches
    + LaunchEvents
    + Limits
    + Overview
    + Profiles
    + Sessions
    + Visits
    + WriteBacks
    + Send
    + Sync
{
    /// Forgets launches that began before a point in time, with their aliases,
    /// tickets, bearer tokens and events, and the appointments that only they led to. Says how many launches.
    /// Forgets also what nodes reported and what was written back, or given up, before
    /// that point. Of the rest, forgets what is of no use at `now` any more: what was
    /// sealed of launches whose sign-in took too long, join links that were
    /// given out a minute ago, counts that say nothing any more, tickets that expired unredeemed
    /// or were redeemed 60 seconds ago or earlier, bearer tokens whose alias has expired,
    /// and expired sessions, of EHRs and of administrators.
    ///
    /// Ends conferences and participations that began 24 hours before `now` or earlier:
    /// the event that ended them was lost.
    ///
    /// Keeps whatever a visit that runs or a write-back that is unsent still needs; of
    /// sessions, also what one needs that may be sent again: see
    /// [`Sessions::claim_renewals`]. Such a session goes with its launch.
    ///
    /// Of servers that purge the same database at the same time, one does; for the others
    /// there is nothing to forget.
    async fn purge(&self, before: UnixTime, now: UnixTime) -> Result<u64, StoreError>;

    /// Whether the database answers, and takes writes: it is asked to take one, which changes
    /// nothing.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Closes the connections, once nobody uses the store any more.
    async fn close(&self);
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be opened.
    #[error(
        "cannot open the database {path}; check that its folder exists and is writable: {source}"
    )]
    Open {
        /// The database file.
        path: String,
        /// What the driver says.
        source: sqlx::Error,
    },
    /// What is said of a database's place makes no sense.
    #[error("the address of the database cannot be used: {0}")]
    Address(&'static str),
    /// There is no way into the database.
    #[error(
        "cannot connect to the database {address}; check that it runs, and user, password and \
         sslmode: {source}"
    )]
    Connect {
        /// Host, port and name; no user and no password.
        address: String,
        /// What the driver says.
        source: sqlx::Error,
    },
    /// The database did not answer in time.
    #[error("the database did not answer within two seconds; check its load and the way to it")]
    TooSlow,
    /// The database answers, and takes no writes.
    #[error("the database takes no writes: is it a replica, read-only, or is its disk full?")]
    ReadOnly,
    /// The tables cannot be brought up to date.
    #[error("cannot bring the database up to date; was it written by a newer version? {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database did not answer, or refused.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] Arc<sqlx::Error>),
    /// A row holds something that was never written there.
    #[error("the database holds a damaged {0}; restore it from a backup")]
    Damaged(&'static str),
}

/// Whether it was ended because it took too long: `SQLITE_INTERRUPT`, and PostgreSQL's
/// `query_canceled`, which may be there before this side has noticed.
fn was_ended(error: &dyn DatabaseError) -> bool {
    matches!(error.code().as_deref(), Some("9" | "57014"))
}

/// Whether it is `SQLITE_READONLY`, or one of its extended codes.
pub(crate) fn is_read_only(error: &dyn DatabaseError) -> bool {
    is_of_sqlite(error, 8)
}

/// Whether it is `SQLITE_BUSY`, or one of its extended codes.
pub(crate) fn is_busy(error: &dyn DatabaseError) -> bool {
    is_of_sqlite(error, 5)
}

fn is_of_sqlite(error: &dyn DatabaseError, primary: u32) -> bool {
    let code = error.try_downcast_ref::<SqliteError>();
    let code = code.and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == primary)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Arc::new(error).into()
    }
}

/// Of what was done for several callers at once.
impl From<Arc<sqlx::Error>> for StoreError {
    fn from(error: Arc<sqlx::Error>) -> Self {
        match &*error {
            sqlx::Error::Database(database) if is_read_only(&**database) => Self::ReadOnly,
            sqlx::Error::Database(database) if was_ended(&**database) => Self::TooSlow,
            _ => Self::Unavailable(error),
        }
    }
}
