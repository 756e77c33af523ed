//! Launches, the appointments that they lead to, and aliases and tickets on the way.

use async_trait::async_trait;
use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use crate::{
    AliasHash, Appointment, Bearer, Begun, BrowserHash, Completed, Completion, Consumed, Course,
    FailedLaunch, FailureSource, FoundAlias, Launch, NewAppointment, NewLaunch, Redemption,
    StoreError, TicketHash,
};

/// From the EHR's button to the join link.
#[async_trait]
pub trait Launches {
    /// Stores a launch as started, unless one with the same fingerprint has completed.
    async fn begin_launch(&self, launch: NewLaunch, now: UnixTime) -> Result<Begun, StoreError>;

    /// Stores a launch that needs no sign-in (a direct join link, another dialect) as
    /// authorised, unless one with the same fingerprint has completed. What is sealed
    /// is not kept: nobody comes back for it.
    async fn begin_authorised(&self, launch: NewLaunch, now: UnixTime)
    -> Result<Begun, StoreError>;

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

    /// Turns an authorised launch into a completed one, and stores its alias, ticket,
    /// session and join link. What was sealed at its beginning is forgotten.
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

    /// Redeems a ticket for the first browser that asks. The launch's bearer token is good
    /// from then on.
    async fn redeem_ticket(
        &self,
        ticket: TicketHash,
        browser: BrowserHash,
        now: UnixTime,
    ) -> Result<Redemption, StoreError>;

    /// The bearer token of a launch whose ticket was redeemed, while its alias lives.
    async fn find_bearer(
        &self,
        request_id: RequestId,
        now: UnixTime,
    ) -> Result<Option<Bearer>, StoreError>;

    /// Stores a launch that failed before it began; `false` where there is one of this
    /// request id already. How many there may be is for the caller to say.
    async fn record_failed_launch(
        &self,
        launch: FailedLaunch,
        now: UnixTime,
    ) -> Result<bool, StoreError>;

    /// Records that a launch failed, and how it went until then; says whether there was
    /// one to record it on. Where somebody joins by the launch later, the failure is
    /// overcome: the launch is completed again.
    async fn record_failure(
        &self,
        request_id: RequestId,
        source: FailureSource,
        error_name: ErrorName,
        course: Course,
        now: UnixTime,
    ) -> Result<bool, StoreError>;

    /// A launch, whatever became of it.
    async fn find_launch(&self, request_id: RequestId) -> Result<Option<Launch>, StoreError>;

    /// The launch that an alias was made for, whether or not the alias has expired.
    async fn find_launch_by_alias(&self, alias: AliasHash) -> Result<Option<Launch>, StoreError>;
}
