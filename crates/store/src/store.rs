//! What every back-end does.

use async_trait::async_trait;
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use crate::{
    AliasHash, Appointment, Begun, BrowserHash, Completed, Completion, Consumed, FailureSource,
    FoundAlias, Launch, NewAppointment, NewLaunch, Redemption, TicketHash,
};

/// The memory of the server. Every operation is atomic: of callers that race for
/// the same thing, exactly one wins. `tests/conformance` says it in tests.
#[async_trait]
pub trait Store: Send + Sync {
    /// Stores a launch as started, unless one with the same fingerprint has completed.
    async fn begin_launch(&self, launch: NewLaunch, now: UnixTime) -> Result<Begun, StoreError>;

    /// Turns a started launch of this profile and role into an authorised one, once.
    async fn consume_state(
        &self,
        request_id: RequestId,
        profile: Uuid,
        role: EhrRole,
        now: UnixTime,
    ) -> Result<Consumed, StoreError>;

    /// The appointment of (profile, encounter): the first caller's, for every caller.
    async fn find_or_create_appointment(
        &self,
        appointment: NewAppointment,
        now: UnixTime,
    ) -> Result<Appointment, StoreError>;

    /// Turns an authorised launch into a completed one, and stores its alias and ticket.
    async fn complete_launch(
        &self,
        completion: Completion,
        now: UnixTime,
    ) -> Result<Completed, StoreError>;

    /// Where an alias leads, while its time is not over.
    async fn find_alias(
        &self,
        alias: AliasHash,
        now: UnixTime,
    ) -> Result<Option<FoundAlias>, StoreError>;

    /// Redeems a ticket for the first browser that asks.
    async fn redeem_ticket(
        &self,
        ticket: TicketHash,
        browser: BrowserHash,
        now: UnixTime,
    ) -> Result<Redemption, StoreError>;

    /// Records that a launch failed; says whether there was one to record it on.
    async fn record_failure(
        &self,
        request_id: RequestId,
        source: FailureSource,
        error_name: ErrorName,
        now: UnixTime,
    ) -> Result<bool, StoreError>;

    /// A launch, whatever became of it.
    async fn find_launch(&self, request_id: RequestId) -> Result<Option<Launch>, StoreError>;

    /// The launch that an alias was made for, whether or not the alias has expired.
    async fn find_launch_by_alias(&self, alias: AliasHash) -> Result<Option<Launch>, StoreError>;

    /// Forgets launches that began before a point in time, with their aliases and
    /// tickets, and the appointments that only they led to. Says how many launches.
    /// Of the others, forgets what is of no use at `now` any more: what was sealed of
    /// launches whose sign-in took too long, tickets that expired unredeemed, and
    /// tickets redeemed 60 seconds ago or earlier.
    async fn purge(&self, before: UnixTime, now: UnixTime) -> Result<u64, StoreError>;
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
    /// The tables cannot be brought up to date.
    #[error("cannot bring the database up to date; was it written by a newer version? {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database did not answer, or refused.
    #[error("the database is unavailable; check disk space and permissions: {0}")]
    Unavailable(#[from] sqlx::Error),
    /// A row holds something that was never written there.
    #[error("the database holds a damaged {0}; restore it from a backup")]
    Damaged(&'static str),
}
