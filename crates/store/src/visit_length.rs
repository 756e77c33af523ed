//! How long visits were.

use uuid::Uuid;
use vestibule_launch::UnixTime;

use crate::{AppointmentId, Position, TimeRange};

/// How long a visit was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitLength {
    /// The appointment.
    pub appointment: AppointmentId,
    /// The telehealth profile.
    pub profile: Uuid,
    /// The department, where it is known.
    pub department: Option<String>,
    /// When the first came.
    pub began_at: UnixTime,
    /// When nobody was there any more.
    pub ended_at: UnixTime,
    /// How long somebody was there, in milliseconds: without the time between, in which
    /// nobody was.
    pub present: i64,
}

/// Lengths of the visits of some appointments, in the order of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitLengths {
    /// Of those whose visit is asked for and over. There may be none.
    pub lengths: Vec<VisitLength>,
    /// The last appointment that was looked at; `None` where there was none.
    pub last: Option<Position<AppointmentId>>,
}

impl VisitLengths {
    /// Of every appointment of a page, what began in the time.
    pub(crate) fn of(
        looked_at: Vec<(Position<AppointmentId>, Option<VisitLength>)>,
        time: Option<TimeRange>,
    ) -> Self {
        let last = looked_at.last().map(|(position, _)| *position);
        let over = looked_at.into_iter().filter_map(|(_, length)| length);
        let is_asked = |one: &VisitLength| {
            time.is_none_or(|time| time.from <= one.began_at && one.began_at < time.until)
        };
        Self {
            lengths: over.filter(is_asked).collect(),
            last,
        }
    }
}
