//! What an operator looks at.

use std::collections::HashMap;

use async_trait::async_trait;
use vestibule_launch::{RequestId, UnixTime};

use crate::{
    AppointmentFilter, AppointmentId, AppointmentRow, Attempt, Attendee, Grouping, LaunchCount,
    LaunchDurations, LaunchFilter, LaunchRow, Measure, Page, Per, SentAgain, Step, StoreError,
    Summary, VisitLengths, WriteBackFilter, WriteBackRow,
};

/// Listings with the newest first, figures, and write-backs that are sent again.
#[async_trait]
pub trait Overview {
    /// Launches, by when they began.
    async fn list_launches(
        &self,
        filter: &LaunchFilter,
        page: Page<RequestId>,
    ) -> Result<Vec<LaunchRow>, StoreError>;

    /// One launch as the listing shows it.
    async fn launch_row(&self, request_id: RequestId) -> Result<Option<LaunchRow>, StoreError>;

    /// Appointments, by when they were first launched.
    async fn list_appointments(
        &self,
        filter: &AppointmentFilter,
        page: Page<AppointmentId>,
    ) -> Result<Vec<AppointmentRow>, StoreError>;

    /// One appointment as the listing shows it.
    async fn appointment_row(
        &self,
        appointment: AppointmentId,
    ) -> Result<Option<AppointmentRow>, StoreError>;

    /// Who is and was at an appointment, in the order in which they came.
    async fn attendees(&self, appointment: AppointmentId) -> Result<Vec<Attendee>, StoreError>;

    /// When the first launch began that is not forgotten.
    async fn oldest_launch(&self) -> Result<Option<UnixTime>, StoreError>;

    /// How many launches there are by step of time and group, the earliest step first. It
    /// is as long as there are steps in the time that is asked for, times groups.
    async fn count_launches(
        &self,
        filter: &LaunchFilter,
        step: Step,
        grouping: Grouping,
    ) -> Result<Vec<LaunchCount>, StoreError>;

    /// How long completed launches took, by when they began.
    async fn launch_durations(
        &self,
        filter: &LaunchFilter,
        page: Page<RequestId>,
    ) -> Result<Vec<LaunchDurations>, StoreError>;

    /// The same of every launch, in few figures.
    async fn summarise_launches(
        &self,
        filter: &LaunchFilter,
        measure: Measure,
        per: Per,
    ) -> Result<Vec<Summary>, StoreError>;

    /// How long visits were that are over, by when their appointments were first launched.
    /// The filter's time is that in which they began; its progress is not asked for. A page
    /// has so many appointments, and their visits: the next one is behind the last of these.
    async fn visit_lengths(
        &self,
        filter: &AppointmentFilter,
        page: Page<AppointmentId>,
    ) -> Result<VisitLengths, StoreError>;

    /// The same of every visit, in few figures.
    async fn summarise_visits(
        &self,
        filter: &AppointmentFilter,
        per: Per,
    ) -> Result<Vec<Summary>, StoreError>;

    /// The departments of launches, by name; at most `limit`.
    async fn departments(&self, limit: u32) -> Result<Vec<String>, StoreError>;

    /// Write-backs, by when they were stored.
    async fn list_write_backs(
        &self,
        filter: &WriteBackFilter,
        page: Page<i64>,
    ) -> Result<Vec<WriteBackRow>, StoreError>;

    /// The attempts to send each of some write-backs, the first first: of each the latest
    /// hundred. Those that were never tried are not in it.
    async fn attempts_of(
        &self,
        write_backs: &[i64],
    ) -> Result<HashMap<i64, Vec<Attempt>>, StoreError>;

    /// Makes a write-back that was given up due again, for another day, and with it those of
    /// its launch and kind that were given up after it: the last one says what is so now.
    /// Later ones that are unsent wait for them.
    async fn send_again(&self, write_back: i64, now: UnixTime) -> Result<SentAgain, StoreError>;
}
