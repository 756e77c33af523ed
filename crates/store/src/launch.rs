//! Launches, from the EHR's button to the join link.

use std::fmt;

use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use crate::{AliasHash, Appointment, AppointmentId, Course, Fingerprint, NewSession, NewTicket};

/// A launch that begins.
#[derive(Clone)]
pub struct NewLaunch {
    /// Identifies the launch.
    pub request_id: RequestId,
    /// The telehealth profile.
    pub profile: Uuid,
    /// Who is launching.
    pub role: EhrRole,
    /// The EHR's launch token.
    pub fingerprint: Fingerprint,
    /// What the return from the EHR will need, sealed.
    pub sealed: Vec<u8>,
    /// Until when the EHR may return.
    pub expires_at: UnixTime,
    /// How it went until now.
    pub course: Course,
}

/// A launch that failed before it began: it is stored as failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedLaunch {
    /// Identifies the launch.
    pub request_id: RequestId,
    /// The telehealth profile; `None` where the launch named none that there is.
    pub profile: Option<Uuid>,
    /// Who launched, where that is known.
    pub role: Option<EhrRole>,
    /// What went wrong.
    pub error_name: ErrorName,
    /// How it went.
    pub course: Course,
}

/// How [`crate::Launches::begin_launch`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The launch is stored.
    New,
    /// A launch with the same fingerprint has completed; nothing was stored.
    AlreadyUsed,
}

/// How [`crate::Launches::consume_state`] went.
#[derive(Clone, PartialEq, Eq)]
pub enum Consumed {
    /// This caller, and no other, goes on with the launch; here is what was sealed.
    Now(Vec<u8>),
    /// Somebody went on with this launch before.
    Before,
    /// There is no such launch of this profile and role, or its time is over.
    Never,
}

/// A launch that completes.
#[derive(Clone)]
pub struct Completion {
    /// Identifies the launch, which must be authorised.
    pub request_id: RequestId,
    /// Where it leads.
    pub appointment: AppointmentId,
    /// How it went since it was stored.
    pub course: Course,
    /// The one-time alias.
    pub alias: AliasHash,
    /// Until when the alias leads anywhere.
    pub alias_expires_at: UnixTime,
    /// The one-time ticket, where the join link carries one.
    pub ticket: Option<NewTicket>,
    /// What the EHR gave, where it is to be kept.
    pub session: Option<NewSession>,
    /// The join link, where the browser may ask for it again.
    pub link: Option<GivenLink>,
}

/// A join link for [`crate::JoinLinks`].
#[derive(Clone)]
pub struct GivenLink {
    /// The link, sealed.
    pub sealed: Vec<u8>,
    /// Until when it is given again.
    pub expires_at: UnixTime,
}

/// How [`crate::Launches::complete_launch`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completed {
    /// The launch is complete.
    Now,
    /// The launch is not waiting for its completion, or another launch with the same
    /// fingerprint completed before; nothing was stored.
    Refused,
}

/// Who says that a launch failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureSource {
    /// The server, while the launch was under way.
    Server,
    /// A browser, which nobody has authenticated: it can speak only of a launch that has
    /// completed, and stops none that is under way. Its first word counts.
    Browser,
}

/// A launch as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Identifies the launch.
    pub request_id: RequestId,
    /// The telehealth profile; `None` only where it failed because it named none that
    /// there is.
    pub profile: Option<Uuid>,
    /// Who is launching; `None` only where it failed before that was known.
    pub role: Option<EhrRole>,
    /// How far it came.
    pub state: LaunchState,
    /// Where it leads, once it has completed.
    pub appointment: Option<AppointmentId>,
    /// When it began.
    pub created_at: UnixTime,
}

/// How far a launch came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchState {
    /// The user is at the EHR's sign-in.
    Started,
    /// The EHR has answered; the state is consumed.
    Authorised,
    /// The join link was given out.
    Completed,
    /// It failed, before or after the join link was given out.
    Failed {
        /// What went wrong.
        error_name: ErrorName,
        /// When.
        at: UnixTime,
    },
}

/// Where a live alias leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundAlias {
    /// The launch that the alias was made for.
    pub request_id: RequestId,
    /// Who launched.
    pub role: EhrRole,
    /// Until when the alias leads anywhere.
    pub expires_at: UnixTime,
    /// The appointment.
    pub appointment: Appointment,
}

impl fmt::Debug for NewLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewLaunch")
            .field("request_id", &self.request_id)
            .field("profile", &self.profile)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Consumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Now(_) => "Now(…)",
            Self::Before => "Before",
            Self::Never => "Never",
        })
    }
}

impl fmt::Debug for GivenLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenLink")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion")
            .field("request_id", &self.request_id)
            .field("appointment", &self.appointment)
            .finish_non_exhaustive()
    }
}
