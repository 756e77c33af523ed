//! What an operator looks at: listings in pages, and figures over a time.
//!
//! A page goes on behind the last row of the page before it: what comes meanwhile
//! neither moves rows to another page nor hides any.

use std::{fmt, str::FromStr};

use uuid::Uuid;
use vestibule_launch::{EhrRole, ErrorName, RequestId, UnixTime};

use crate::{
    Appointment, AppointmentId, Launch, Participant, Reason, StepTaken, WriteBackKind,
    WriteBackRecord,
};

/// Where a row stands in a listing that has the newest first. As text, `time-id`, it can
/// stand in a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<I> {
    /// By which the listing is sorted.
    pub at: UnixTime,
    /// Tells apart what has the same time.
    pub id: I,
}

/// A text that is no position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position in a listing")]
pub struct NotAPosition;

impl<I: fmt::Display> fmt::Display for Position<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.as_millis(), self.id)
    }
}

impl<I: FromStr> FromStr for Position<I> {
    type Err = NotAPosition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (at, id) = text.split_once('-').ok_or(NotAPosition)?;
        Ok(Self {
            at: UnixTime::from_millis(at.parse().map_err(|_| NotAPosition)?),
            id: id.parse().map_err(|_| NotAPosition)?,
        })
    }
}

/// A part of a listing: at most `limit` rows, those behind `after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page<I> {
    /// The last row of the page before; `None` for the first page.
    pub after: Option<Position<I>>,
    /// Most rows.
    pub limit: u32,
}

/// A time, from its beginning and without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The beginning.
    pub from: UnixTime,
    /// The end.
    pub until: UnixTime,
}

/// How far a launch came, without what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchProgress {
    /// The user is at the EHR's sign-in.
    Started,
    /// The EHR has answered.
    Authorised,
    /// The join link was given out, and nobody joined by it.
    Completed,
    /// Somebody joined.
    Joined,
    /// It failed, before or after the join link was given out.
    Failed,
}

impl LaunchProgress {
    /// Each of them.
    pub const ALL: [Self; 5] = [
        Self::Started,
        Self::Authorised,
        Self::Completed,
        Self::Joined,
        Self::Failed,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Authorised => "authorised",
            Self::Completed => "completed",
            Self::Joined => "joined",
            Self::Failed => "failed",
        }
    }
}

/// Which launches. What is `None` is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LaunchFilter {
    /// That began in this time.
    pub time: Option<TimeRange>,
    /// Of this telehealth profile.
    pub profile: Option<Uuid>,
    /// By a patient or by a provider.
    pub role: Option<EhrRole>,
    /// That came so far.
    pub progress: Option<LaunchProgress>,
    /// That failed with this error.
    pub error_name: Option<ErrorName>,
    /// That led to an appointment of this department, as the EHR calls it.
    pub department: Option<String>,
    /// That led to this appointment.
    pub appointment: Option<AppointmentId>,
}

/// A launch in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchRow {
    /// The launch.
    pub launch: Launch,
    /// When the user came back from the EHR's sign-in, where there was one.
    pub authorised_at: Option<UnixTime>,
    /// When the join link was given out.
    pub completed_at: Option<UnixTime>,
    /// When somebody was in the conference by it: see [`LaunchDurations::joined_after`].
    pub joined_at: Option<UnixTime>,
    /// The department of the encounter, where the EHR names it.
    pub department: Option<String>,
    /// The steps that were taken, in their order.
    pub steps: Vec<StepTaken>,
    /// A failure that the landing page told of, after which somebody joined.
    pub overcome: Option<ErrorName>,
}

impl LaunchRow {
    /// Where it stands in the listing.
    pub fn position(&self) -> Position<RequestId> {
        Position {
            at: self.launch.created_at,
            id: self.launch.request_id,
        }
    }
}

/// Whether anybody is at an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitProgress {
    /// Nobody has come.
    Nobody,
    /// It runs.
    Running,
    /// It is over.
    Over,
}

/// Which appointments. What is `None` is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppointmentFilter {
    /// That were launched in this time, or at which somebody was in it.
    pub time: Option<TimeRange>,
    /// Of this telehealth profile.
    pub profile: Option<Uuid>,
    /// Of this department, as the EHR calls it.
    pub department: Option<String>,
    /// Whether anybody is there.
    pub progress: Option<VisitProgress>,
}

/// An appointment in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppointmentRow {
    /// The appointment.
    pub appointment: Appointment,
    /// Whether anybody is there.
    pub progress: VisitProgress,
    /// When the first came.
    pub began_at: Option<UnixTime>,
    /// When it was over, where it is.
    pub ended_at: Option<UnixTime>,
    /// How many launches led to it.
    pub launches: u32,
    /// The department of the encounter, where the EHR names it.
    pub department: Option<String>,
}

impl AppointmentRow {
    /// Where it stands in the listing.
    pub fn position(&self) -> Position<AppointmentId> {
        Position {
            at: self.appointment.created_at,
            id: self.appointment.id,
        }
    }
}

/// Somebody who is or was at an appointment, and the launch that led there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// The participant, with the name sealed.
    pub participant: Participant,
    /// The launch whose alias was dialled, where it is not forgotten.
    pub launch: Option<(RequestId, EhrRole)>,
}

/// How long the steps of time in a chart are. They begin on the hour or at midnight, in
/// UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Step {
    /// Its length in milliseconds.
    pub const fn as_millis(self) -> i64 {
        match self {
            Self::Hour => 60 * 60 * 1000,
            Self::Day => 24 * 60 * 60 * 1000,
        }
    }
}

/// By what launches are counted, beside the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// By what went wrong.
    ErrorName,
    /// By department.
    Department,
}

/// A group of launches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Those that failed with this error; `None`: those that did not fail.
    ErrorName(Option<ErrorName>),
    /// Those of this department; `None`: where it is not known, as before the EHR has
    /// said what the launch leads to.
    Department(Option<String>),
}

/// How many launches of a group began in a step of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchCount {
    /// The beginning of the step.
    pub at: UnixTime,
    /// The group.
    pub group: Group,
    /// How many.
    pub launches: u64,
    /// How many of these failed.
    pub failed: u64,
}

/// How long it took somebody to be in the visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchDurations {
    /// The launch.
    pub request_id: RequestId,
    /// When the button was pressed.
    pub created_at: UnixTime,
    /// The telehealth profile.
    pub profile: Uuid,
    /// Who launched.
    pub role: EhrRole,
    /// The department, where it is known.
    pub department: Option<String>,
    /// From the button to the conference, in milliseconds: until the landing page said
    /// so, or else until the conferencing node did. `None` where nobody joined.
    pub joined_after: Option<i64>,
    /// How long a patient waited, in milliseconds: from the landing page's first word of
    /// waiting until it joined, or else, as conferencing nodes tell, from when the
    /// patient was connected until the first provider was; nothing where a provider was
    /// there before. `None` for providers, and where nobody joined.
    pub waited: Option<i64>,
}

impl LaunchDurations {
    /// Where it stands in the listing.
    pub fn position(&self) -> Position<RequestId> {
        Position {
            at: self.created_at,
            id: self.request_id,
        }
    }
}

/// What is measured of launches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// [`LaunchDurations::joined_after`].
    Joined,
    /// [`LaunchDurations::waited`].
    Waited,
}

/// What is measured together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Everything.
    All,
    /// What began in the same step of time.
    Step(Step),
    /// What is of the same department.
    Department,
}

/// What was measured together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Everything.
    All,
    /// What began in the step of time with this beginning.
    Step(UnixTime),
    /// What is of this department; `None`: where it is not known.
    Department(Option<String>),
}

/// How long something took, of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Of what.
    pub part: Part,
    /// How many were measured; at least one.
    pub count: u64,
    /// The median, by the nearest rank, in milliseconds.
    pub median: i64,
    /// The 95th percentile, by the nearest rank, in milliseconds.
    pub high: i64,
}

/// How far a write-back came, without times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteBackProgress {
    /// It waits, or is being sent.
    Unsent,
    /// The EHR took it.
    Sent,
    /// It will not be tried again.
    GivenUp,
    /// It was not sent, since it is not true any more.
    NotNeeded,
}

impl WriteBackProgress {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Unsent, Self::Sent, Self::GivenUp, Self::NotNeeded];

    /// The word in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsent => "unsent",
            Self::Sent => "sent",
            Self::GivenUp => "given_up",
            Self::NotNeeded => "not_needed",
        }
    }
}

/// Which write-backs. What is `None` is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteBackFilter {
    /// That were stored in this time.
    pub time: Option<TimeRange>,
    /// Of this telehealth profile.
    pub profile: Option<Uuid>,
    /// That came so far.
    pub progress: Option<WriteBackProgress>,
    /// That tell of this launch.
    pub request_id: Option<RequestId>,
    /// That tell of launches to this appointment.
    pub appointment: Option<AppointmentId>,
}

/// A write-back in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteBackRow {
    /// What became of it.
    pub record: WriteBackRecord,
    /// The telehealth profile.
    pub profile: Uuid,
    /// The launch that it tells of.
    pub request_id: RequestId,
    /// Which of the profile's tables tells it; `None` of what an earlier version stored.
    pub kind: Option<WriteBackKind>,
}

impl WriteBackRow {
    /// Where it stands in the listing.
    pub fn position(&self) -> Position<i64> {
        Position {
            at: self.record.created_at,
            id: self.record.id,
        }
    }
}

/// One attempt to send a write-back that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which it was, from 1. Those of servers that vanished are missing.
    pub number: u32,
    /// When it was over.
    pub at: UnixTime,
    /// The HTTP status of the EHR's answer, where there was one.
    pub status: Option<u16>,
    /// Why it came to nothing; `None` where it came to something, and where an earlier
    /// version of this program made it.
    pub reason: Option<Reason>,
}

/// How [`crate::Overview::send_again`] went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SentAgain {
    /// It is due, for another day, and so are those of its launch and kind that were given
    /// up after it: so many in all.
    Due(u32),
    /// A later one of its launch and kind was sent, or is on its way: the EHR would take
    /// what is over for what is so now. Nothing was changed.
    Overtaken,
    /// It was not given up; nothing was changed.
    NotGivenUp,
    /// There is no such write-back.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_from_its_text() {
        let number = Position {
            at: UnixTime::from_millis(1_800_000_000_000),
            id: 7_i64,
        };
        assert_eq!(number.to_string(), "1800000000000-7");
        assert_eq!(number.to_string().parse(), Ok(number));
        let launch = Position {
            at: UnixTime::from_millis(5),
            id: RequestId::from_bytes([3; 16]),
        };
        assert_eq!(launch.to_string().parse(), Ok(launch));
        for text in ["", "7", "-7", "a-7", "7-", "7-a", "99999999999999999999-1"] {
            assert_eq!(text.parse::<Position<i64>>(), Err(NotAPosition), "{text}");
        }
    }
}
